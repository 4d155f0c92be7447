"""`atnas lsp`"""

from __future__ import annotations

import gc
import logging
import os
import sys
from typing import Final

import click

from atnas.dsl.errors import Unable
from atnas.runtime.sources import read_text

OFTEN: Final = 50_000
"""Objects made before garbage is looked for: at the usual 700, an edit would wait for it now and then."""


@click.command()
@click.option("--stdio", is_flag=True, help="Speak over standard input and output, as it does anyway.")
def command(stdio: bool) -> int:
    """The language server: an editor starts it and speaks with it over standard input and output."""
    del stdio
    try:
        from atnas.editor.server import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise Unable("the language server needs pygls: pip install 'atnas[lsp]'") from None
    gc.freeze()
    gc.set_threshold(OFTEN)
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR, format="atnas lsp: %(message)s")
    # What an extension prints must not get between the answers: standard output leads to standard error from here on.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(read_text, sys.stdin.buffer, answers)
    return 0
