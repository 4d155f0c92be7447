"""`atnas fmt`"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from io import StringIO
from pathlib import Path
from typing import Final, Literal

import click

from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.source import Source
from atnas.dsl.syntax.format import formatted
from atnas.dsl.syntax.parse import parse
from atnas.runtime.files import write
from atnas.runtime.sources import decoded, read_bytes, sources, stdin_bytes

MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()
STDIN: Final = "<stdin>"

Outcome = Literal["changed", "unchanged", "wrong", "unable"]


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; name the files that would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
def command(paths: tuple[str, ...], check: bool, diff: bool) -> int:
    """Format files and folders (this folder if none is named; - is standard input, written to standard output).

    There is one style. Comments stay where they are and the program stays what it is. A file with syntax errors is left
    alone.
    """
    found = sources([path for path in paths or (".",) if path != "-"])
    for error in found.unread:
        _tell(str(error))
    outcomes: Counter[Outcome] = Counter({"unable": len(found.unread)})
    if "-" in paths:
        outcomes[_stdin(check, diff)] += 1
    outcomes.update(_file(source.path, check, diff) for source in found.sources)
    if found.sources:
        click.echo(_summary(outcomes, check or diff), err=True)
    if outcomes["unable"]:
        return 2
    return 1 if outcomes["wrong"] or (outcomes["changed"] and (check or diff)) else 0


def _file(path: str, check: bool, diff: bool) -> Outcome:
    try:
        before = read_bytes(path)
        after = _formatted(path, before)
        if after is None:
            return "wrong"
        if after == before:
            return "unchanged"
        if check or diff:
            _show(path, before, after, diff)
        else:
            _replace(path, after)
    except Unable as error:
        _tell(str(error))
        return "unable"
    return "changed"


def _stdin(check: bool, diff: bool) -> Outcome:
    before = stdin_bytes()
    after = _formatted(STDIN, before)
    if after is None:
        return "wrong"
    if not check and not diff:
        click.echo(after, nl=False)
    elif after != before:
        _show(STDIN, before, after, diff)
    return "unchanged" if after == before else "changed"


def _formatted(path: str, content: bytes) -> bytes | None:
    """A file's content formatted, with its byte order mark and kind of line ends; None where it has syntax errors."""
    program, findings = parse(Source(path, decoded(content, "standard input" if path == STDIN else path)))
    if findings:
        _report(findings)
        return None
    text = formatted(program)
    first = content.find(b"\n")
    if first > 0 and content[first - 1 : first] == b"\r":
        text = text.replace("\n", "\r\n")
    return (MARK if content.startswith(MARK) else b"") + text.encode()


def _replace(path: str, content: bytes) -> None:
    """Writes to the file itself where the path is a link to it."""
    if not os.access(path, os.W_OK):
        raise Unable(f"{path} could not be written: it is read-only")
    write(Path(path).resolve(), content)


def _show(path: str, before: bytes, after: bytes, diff: bool) -> None:
    lines = _diff(path, before.decode(), after.decode()) if diff else [f"{path}\n"]
    click.echo("".join(lines), nl=False)


def _diff(path: str, before: str, after: str) -> Iterator[str]:
    for line in unified_diff(_lines(before), _lines(after), path, path):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    return StringIO(text, newline="\n").readlines()


def _report(findings: Sequence[Diagnostic]) -> None:
    from atnas.cli.check import coloured
    from atnas.dsl.findings.render import full

    click.echo(full(findings, coloured(sys.stderr)), err=True)


def _tell(sentence: str) -> None:
    click.echo(f"atnas: {sentence}", err=True)


def _summary(outcomes: Counter[Outcome], dry: bool) -> str:
    changed, unchanged, wrong = outcomes["changed"], outcomes["unchanged"], outcomes["wrong"]
    parts = [f"{_files(changed)} {'would be ' if dry else ''}formatted"] if changed else []
    if unchanged:
        parts.append(f"{_files(unchanged)} left as {'it is' if unchanged == 1 else 'they are'}")
    if wrong:
        parts.append(f"{_files(wrong)} with syntax errors left alone")
    return ", ".join(parts) or "nothing was formatted"


def _files(n: int) -> str:
    return f"{n} file{'s' * (n != 1)}"
