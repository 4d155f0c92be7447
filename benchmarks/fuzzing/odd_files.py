"""The command line on files that are none: links, pipes, devices, folders with the name of a file."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

PATIENCE: Final = 20
SECONDS: Final = 3.0
"""Of the processor, the start of the interpreter included."""

MEGABYTES: Final = 500
NO_TEXT: Final = os.fsdecode(b"\xff\xfe.atnas")
GOOD: Final = "space s [x: (3, 8, 8)] -> y { y = x -> relu }\n"
USE: Final = 'use "other.atnas" (f)\nspace s [x: (3, 8, 8)] -> y { y = x -> f }\n'


def _text(folder: Path, content: str | bytes = GOOD, name: str = "x.atnas") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def _linked(folder: Path, target: str, name: str = "x.atnas") -> None:
    (folder / name).symlink_to(target)


def _using(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """A file that uses `other.atnas`, which is made so."""

    def both(folder: Path) -> None:
        _text(folder, USE)
        make(folder)

    return both


def _sparse(folder: Path, name: str = "x.atnas", size: int = 20 * 10**9) -> None:
    with (folder / name).open("wb") as file:
        file.truncate(size)


def _loop(folder: Path, name: str = "x.atnas") -> None:
    _linked(folder, "loop2.atnas", name)
    _linked(folder, name, "loop2.atnas")


def _row(folder: Path, n: int, last: str) -> None:
    for i in range(n):
        _text(folder, f'use "f{i + 1}.atnas" (f)\nop g = f\n', f"f{i}.atnas")
    _text(folder, last, f"f{n}.atnas")


def _rhombs(folder: Path, n: int) -> None:
    for i in range(n):
        uses = f'use "{i + 1}a.atnas" (f)\nuse "{i + 1}b.atnas" (g)\n'
        _text(folder, f"{uses}op f{i} = f -> g\n", f"{i}a.atnas")
        _text(folder, f"{uses}op g{i} = f -> g\n", f"{i}b.atnas")


def _nested(folder: Path) -> None:
    here = folder
    for _ in range(300):
        here = here / "deeper"
    here.mkdir(parents=True)
    (here / "x.atnas").write_text(GOOD)


MAKES: Final[dict[str, Callable[[Path], object]]] = {
    "a file": _text,
    "nothing": lambda _: None,
    "an empty file": lambda folder: _text(folder, ""),
    "a pipe": lambda folder: os.mkfifo(folder / "x.atnas"),
    "a pipe that is used": _using(lambda folder: os.mkfifo(folder / "other.atnas")),
    "a folder": lambda folder: (folder / "x.atnas").mkdir(),
    "a folder that is used": _using(lambda folder: (folder / "other.atnas").mkdir()),
    "a link to endless zeros": lambda folder: _linked(folder, "/dev/zero"),
    "a link to chance": lambda folder: _linked(folder, "/dev/urandom"),
    "a link to nothing": lambda folder: _linked(folder, "/dev/null"),
    "a link to the terminal": lambda folder: _linked(folder, "/dev/tty"),
    "a link to standard input": lambda folder: _linked(folder, "/dev/stdin"),
    "endless zeros that are used": _using(lambda folder: _linked(folder, "/dev/zero", "other.atnas")),
    "a link to itself": lambda folder: _linked(folder, "x.atnas"),
    "links in a ring": _loop,
    "links in a ring that are used": _using(lambda folder: _loop(folder, "other.atnas")),
    "a broken link": lambda folder: _linked(folder, "gone.atnas"),
    "a link out of the folder": lambda folder: _linked(folder, "/etc/passwd"),
    "a file outside that is used": _using(lambda folder: _linked(folder, "/etc/passwd", "other.atnas")),
    "a path outside": lambda folder: _text(folder, 'use "../../../../../../etc/passwd.atnas" (f)\nop g = f\n'),
    "a path in a linked folder": lambda folder: (
        _text(folder, 'use "d/x.atnas" (f)\nop g = f\n'),
        _linked(folder, "/etc", "d"),
    ),
    "a path with a null": lambda folder: _text(folder, b'use "a\0.atnas" (f)\n'),
    "a path too long": lambda folder: _text(folder, f'use "{"a" * 5000}.atnas" (f)\nop g = f\n'),
    "a path too deep": lambda folder: _text(folder, f'use "{"a/" * 5000}b.atnas" (f)\nop g = f\n'),
    "a path with a line end": lambda folder: _text(folder, 'use "a\n.atnas" (f)\nop g = f\n'),
    "a name that is no text": lambda folder: _text(folder, GOOD, NO_TEXT),
    "a name that is no text, with a mistake": lambda folder: _text(folder, "op f = )\n", NO_TEXT),
    "a name with a line end": lambda folder: _text(folder, "op f = )\n", "a\nb::error.atnas"),
    "a name like a library": lambda folder: _text(folder, "op f = )\n", "<std.spaces>.atnas"),
    "a hole of 20 GB": _sparse,
    "a hole of 20 GB that is used": _using(lambda folder: _sparse(folder, "other.atnas")),
    "zeros": lambda folder: _text(folder, b"\0" * 1_000_000),
    "49 MB of lines": lambda folder: _text(folder, b"\n" * 49_000_000),
    "49 MB of a wide letter": lambda folder: _text(folder, "a" * 40_000_000 + "\N{GRINNING FACE}"),
    "19 MB of lines": lambda folder: _text(folder, b"\n" * 19_000_000),
    "19 MB of old lines": lambda folder: _text(folder, b"\r\n" * 9_500_000),
    "19 MB with a wide letter": lambda folder: _text(folder, "a" * 19_000_000 + "\N{GRINNING FACE}"),
    "19 MB that are used": _using(lambda folder: _text(folder, b"\n" * 19_000_000, "other.atnas")),
    "8 large files that are used": lambda folder: (
        _text(folder, "\n".join(f'use "{i}.atnas" (f{i})' for i in range(8))),
        [_text(folder, b"\n" * 4_900_000, f"{i}.atnas") for i in range(8)],
    ),
    "bytes": lambda folder: _text(folder, bytes(range(256)) * 100),
    "a file in UTF-16": lambda folder: _text(folder, GOOD.encode("utf-16")),
    "an artifact that is none": lambda folder: _text(folder, b'{"atnas": 1, "source": 3}'),
    "deep JSON": lambda folder: _text(folder, b"[" * 1_000_000),
    "no right to read": lambda folder: (_text(folder), (folder / "x.atnas").chmod(0)),
    "a row of 99 files": lambda folder: _row(folder, 99, "op f = relu\n"),
    "a row of 300 files": lambda folder: _row(folder, 300, "op f = relu\n"),
    "a ring of 50 files": lambda folder: _row(folder, 50, 'use "f0.atnas" (f)\nop g = f\n'),
    "a file that uses itself": lambda folder: _text(folder, 'use "x.atnas" (f)\nop f = relu\n'),
    "rhombs": lambda folder: _rhombs(folder, 40),
    "folders in folders": _nested,
    "a ring of folders": lambda folder: (_text(folder), _linked(folder, ".", "again")),
}
COMMANDS: Final = {
    f"{command}, {name}": (command, name)
    for name in MAKES
    for command in ("check .", "check x.atnas", "fmt --diff x.atnas", "info x.atnas")
}


def ran(name: str) -> str:
    """Runs a command in a folder made for it; what was wrong with how it ended, if anything."""
    command, make = COMMANDS[name]
    with tempfile.TemporaryDirectory() as folder:
        MAKES[make](Path(folder))
        if command.endswith("x.atnas") and not os.path.lexists(f"{folder}/x.atnas") and make != "nothing":
            command = command.replace("x.atnas", os.fsdecode(sorted(os.listdir(os.fsencode(folder)))[0]))  # noqa: PTH208
        words = command.split(" ", command.count(" ") if "x.atnas" in command else 1 + command.startswith("fmt"))
        return _ended([sys.executable, "-m", "atnas", *words], folder)


def _ended(command: list[str], folder: str) -> str:
    def bounds() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))

    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=told, preexec_fn=bounds
        )
        guard = threading.Timer(PATIENCE, process.kill)
        guard.start()
        _, status, used = os.wait4(process.pid, 0)
        guard.cancel()
        process.returncode = code = os.waitstatus_to_exitcode(status)
        told.seek(0)
        text = told.read().decode("utf-8", "replace")
    seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    if code not in (0, 1, 2) or "Traceback" in text:
        return f"exit code {code}: {text[-600:]}"
    if seconds > SECONDS or megabytes > MEGABYTES:
        return f"{seconds:.1f} s of CPU time, {megabytes:.0f} MB"
    return ""
