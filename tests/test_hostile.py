"""Inputs that once broke a promise of the checker, found by `benchmarks/fuzz.py`: each is answered in words, soon."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile import TEXTS

from atnas.dsl.cases import apply, leaf, member, only, witness
from atnas.dsl.errors import Unable
from atnas.dsl.findings.suggest import compared, nearest
from atnas.dsl.meter import Meter, TooLarge, metered
from atnas.dsl.source import Source
from atnas.runtime.checking import Checker, read_program

PATH = "main.atnas"


def reader(files: dict[str, str]) -> Callable[[str], str]:
    def read(path: str) -> str:
        if path not in files:
            raise Unable(f"{path} is not there")
        return files[path]

    return read


# Too much work

COSTLY = {
    "sums tied oppositely:60": {"E405": 1},
    "costly experiments:8": {"E405": 1},
    "costly experiments:300": {"E405": 1},
    "costly spaces:60": {"E405": 1},
    "chosen lists:2000": {"E405": 1},
    "alternatives:3000": {"E405": 1, "E201": 1},
    "tensors to choose:4000": {"E405": 1, "W202": 3999},
    "unknown names:3000": {"E101": 3000},
    "unknown layers:1500": {"E101": 1500},
    "unknown arguments:3000": {"E203": 3000},
    "unknown settings:5000": {"E503": 1, "E501": 4999, "E009": 1},
    "equal parameters:9000": {"E102": 5000, "E009": 1},
    "mistakes on a line:2000": {"E301": 2000},
    "parameters:6000": {"W102": 5000, "E009": 1},
    "experiments:2000": {"E510": 5000, "E009": 1},
    "names of a use:5000": {"E101": 5000},
    "comments:200000": {"E008": 1},
    "declarations:20000": {"E008": 1},
}


def test_widths_that_no_number_holds_are_findings() -> None:
    text = "space s [x: (3, 8, 8)] -> y { y = x -> conv(8, 3) -> mbconv(8, 3, expand = 1e300) }"
    (finding,) = read_program(Source(PATH, text), reader({})).findings
    assert (finding.code, finding.message) == ("E201", "`expand` must be at most 1000, not 1e+300")


@pytest.mark.parametrize(("name", "codes"), COSTLY.items(), ids=list(COSTLY))
def test_what_took_too_long_is_answered(name: str, codes: dict[str, int]) -> None:
    kind, _, size = name.partition(":")
    findings = read_program(Source(PATH, TEXTS[kind](int(size))), reader({})).findings
    assert Counter(f.code for f in findings) == codes


def test_work_on_diagrams_is_counted_each_time_it_is_asked_for() -> None:
    """Also where the result is remembered: what is too large does not come to fit by being checked twice."""
    numbers = [apply(lambda b, i=i: 2**i * b, member(i, 2, frozenset([1]))) for i in range(12)]
    spent = []
    for _ in range(2):
        meter, total = Meter(100_000), leaf(0)
        with metered(meter):
            for number in numbers:
                total = apply(lambda a, b: a + b, total, number)
            only(member(0, 2, frozenset([1])), total)
        spent.append(meter.spent)
    assert spent[0] == spent[1] > 2**12
    assert witness(total, lambda n: n == 5) == {0: 1, 2: 1} | {i: 0 for i in range(12) if i not in (0, 2)}
    with metered(Meter(2**11)), pytest.raises(TooLarge, match="more than 2,048 steps"):
        for number in numbers:
            total = apply(lambda a, b: a + b, total, number)


def test_names_are_suggested_until_it_is_too_much_work() -> None:
    words = [f"name{i}" for i in range(1000)]
    found, count = compared(lambda: [nearest("nam7", words) for _ in range(5)], 2500)
    assert found == ["name7", "name7", None, None, None]
    assert count == 2500
    assert nearest("nam7", words) == "name7"


# Checked again

EDITS = {
    "a name that is lost": ('op h = f\nuse "" (hh, f)', "op h = f\n", {}),
    "a name that could be meant": ("op f = gg\n", "op f = gg\nop ggg = relu\n", {}),
    "a name that is lost and there": (
        'use "c/d.atnas" (f)\nspace t [x: (3)] -> y { y = x -> f }\nuse "a.atnas" (f)\n',
        'use "c/d.atnas" (f)\nspace t [x: (3)] -> y { y = x -> f }\n',
        {"c/d.atnas": "op f = g -> h\n"},
    ),
}


@pytest.mark.parametrize(("before", "after", "files"), EDITS.values(), ids=list(EDITS))
def test_a_program_checked_again_is_told_what_a_new_one_is(before: str, after: str, files: dict[str, str]) -> None:
    checker = Checker()
    for text in (before, after, before):
        again = checker.check(Source(PATH, text), reader(files)).findings
        assert again == read_program(Source(PATH, text), reader(files)).findings


def test_files_are_no_larger_together_than_one_may_be() -> None:
    files = {f"{i}.atnas": f"op f{i} = relu  # {'a' * 2_000_000}\n" for i in range(5)}
    text = "".join(f'use "{i}.atnas" (f{i})\n' for i in range(5))
    findings = read_program(Source(PATH, text), reader(files)).findings
    told = "the files that are used are too many, or too large together"
    assert [(f.code, f.message, f.span.text) for f in findings] == [
        ("E105", told, '"3.atnas"'),
        ("E105", told, '"4.atnas"'),
    ]


# Files that are none


def check(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of `atnas check` and what it says; it is given some seconds."""
    command = [sys.executable, "-m", "atnas", "check", *arguments]
    ended = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    return ended.returncode, ended.stdout + ended.stderr


USE = 'use "other.atnas" (f)\nspace s [x: (3, 8, 8)] -> y { y = x -> f }\n'
MAKES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (os.mkfifo, "is a pipe or device, not a file"),
    "zeros without end": (lambda path: path.symlink_to("/dev/zero"), "lies outside of the project folder"),
    "a link to itself": (lambda path: path.symlink_to(path), "cannot be read"),
    "a folder": (Path.mkdir, "is a folder"),
    "a hole": (lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 20 * 10**9), "is larger than 50 MB"),
    "many lines": (lambda path: path.write_bytes(b"\n" * 21_000_000), "is larger than 20 MB"),
}


@pytest.mark.parametrize(("make", "reason"), MAKES.values(), ids=list(MAKES))
def test_what_is_no_file_is_not_read(make: Callable[[Path], object], reason: str, tmp_path: Path) -> None:
    (tmp_path / "main.atnas").write_text(USE)
    make(tmp_path / "other.atnas")
    code, told = check(tmp_path, "main.atnas")
    assert code == 1
    assert reason in told


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_a_device_is_not_read(device: str, tmp_path: Path) -> None:
    assert check(tmp_path, device) == (
        2,
        f"atnas: {device} is a pipe or device, not a file; what comes from a pipe is read as -\n",
    )
