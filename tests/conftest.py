"""Where pytest takes files side by side (`-n`), each process and what it starts stay with one thread."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from runs import Folder

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Folder]:
    """Runs that nothing came between."""
    from commands import run  # torch, which most tests of the language do without
    from runs import NAMES, left, program

    found = {}
    for text in NAMES:
        folder = tmp_path_factory.mktemp("undisturbed")
        ended = run(program(folder, text), folder / "run")
        assert ended.code == 0, ended.err
        found[text] = left(folder / "run")
    return found
