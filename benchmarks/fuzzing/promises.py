"""What is promised of every input: no fault, bounded time and memory, one style, and re-checks that tell the same."""

from __future__ import annotations

import json
import random
import time
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from inputs import Input
from test_editor import ask

from atnas.cli.check import FORMATS, Checked
from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax.format import formatted
from atnas.dsl.syntax.parse import parse
from atnas.runtime.checking import Checker, read_program
from atnas.runtime.checks import once
from atnas.runtime.program import Program
from atnas.runtime.sources import decoded

SECONDS: Final = 2.0
MEGABYTES: Final = 500
BOUNDED: Final = ("check", "format", "check again", "editor")
"""What may take so long at most; what an editor asks, besides the check that it asks for first.

What is measured beside these holds one of them several times.
"""

INNER: Final = ("check", "format", "check again")
"""What is measured within another part."""

PATH: Final = "main.atnas"


@dataclass(frozen=True)
class Failure:
    """A promise that was broken; failures of one kind at one place count as the same."""

    kind: str
    place: str
    told: str


@dataclass
class Tried:
    """What came of one input: CPU seconds of each part, the most memory of the process, and failures."""

    outcome: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    wall: float = 0
    megabytes: float = 0
    measured_twice: bool = False
    failures: list[Failure] = field(default_factory=list)


class Broken(Exception):
    """A promise that does not hold."""


def tried(given: Input) -> Tried:
    """Feeds an input to the checker, the formatter and the editor's questions.

    What takes too long is measured once more, and the shorter time counts: the machine may have been at something else.
    """
    found = _tried(given)
    if any(failure.kind == "time" for failure in found.failures):
        again = _tried(given)
        again.wall += found.wall
        again.measured_twice = True
        if sum(again.seconds.values()) < sum(found.seconds.values()):
            return again
    return found


def _tried(given: Input) -> Tried:
    found = Tried()
    _forget_peak()
    began = time.perf_counter()
    rng, place = given.rng, given.kind
    with _measured(found, "check, in all formats"):
        found.outcome, found.seconds["check"] = _checked(given)
    if found.outcome != "not a text":
        text = decoded(given.content, PATH)
        with _measured(found, "format, twice"):
            found.seconds["format"] = _formatted(text)
        if rng.random() < 0.25:
            with _measured(found, "check again, and afresh"):
                found.seconds["check again"] = _again(given, text, rng)
        if rng.random() < 0.08:
            with _measured(found, "editor"):
                ask(text, rng.randint(0, len(text)))
    for part, seconds in found.seconds.items():
        if part in BOUNDED and seconds > SECONDS + (part == "editor") * found.seconds.get("check", 0):
            found.failures.append(Failure("time", f"{part}, {place}", f"{seconds:.2f} s"))
    found.wall = time.perf_counter() - began
    found.megabytes = _peak()
    if found.megabytes > MEGABYTES:
        found.failures.append(Failure("memory", place, f"{found.megabytes:.0f} MB"))
    return found


@contextmanager
def _measured(found: Tried, part: str):
    """Notes the time of a part, and what went wrong in it."""
    began = time.process_time()
    try:
        yield
    except Broken as broken:
        found.failures.append(Failure("promise", f"{part}: {broken.args[0]}", str(broken.args[1:])))
    except Exception as error:  # whatever comes is what is looked for
        found.failures.append(Failure("fault", f"{part}: {_place(error)}", traceback.format_exc(limit=-6)))
    found.seconds[part] = time.process_time() - began


def _place(error: BaseException) -> str:
    """Where an exception was raised, as far as it lies in atnas."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "atnas" in f.filename or "/dsl/" in f.filename] or list(frames)
    return f"{type(error).__name__} in {'/'.join(Path(own[-1].filename).parts[-2:])}:{own[-1].name}"


# Promises


def _checked(given: Input) -> tuple[str, float]:
    """What came of a check, and what `atnas check` takes in the format that takes longest."""
    began, longest = time.process_time(), 0.0
    try:
        text = decoded(given.content, PATH)
    except Unable:
        return "not a text", time.process_time() - began
    program = read_program(Source(PATH, text), _reader(given))
    checked = Checked(once(program.findings), 1)
    taken = time.process_time() - began
    for form, render in FORMATS.items():
        began = time.process_time()
        told = render(checked)
        told.encode("utf-8", "backslashreplace")
        longest = max(longest, time.process_time() - began)
        if form in ("json", "sarif"):
            json.loads(told)
    _stand_in_text(program.findings)
    return _outcome(program), taken + longest


def _outcome(program: Program) -> str:
    if any(f.code.startswith("E0") for f in program.findings):
        return "syntax errors"
    return "errors" if not program.good else "warnings" if program.findings else "nothing to report"


def _stand_in_text(findings: list[Diagnostic]) -> None:
    for f in findings:
        if not 0 <= f.span.start <= f.span.end <= len(f.span.source.text):
            raise Broken("a finding outside of its text", f.code)


def _formatted(text: str) -> float:
    """Formatting what is formatted changes nothing, and the syntax tree is equal. Gives what `atnas fmt` takes."""
    began = time.process_time()
    program, findings = parse(Source(PATH, text))
    if findings:
        return time.process_time() - began
    once = formatted(program)
    taken = time.process_time() - began
    again, findings = parse(Source(PATH, once))
    if findings or again.declarations != program.declarations:
        raise Broken("another syntax tree after formatting", once[:500])
    if formatted(again) != once:
        raise Broken("formatting twice", once[:500])
    return taken


def _again(given: Input, text: str, rng: random.Random) -> float:
    """Checks once, and again after an edit and back: the same findings as for one who sees it first."""
    checker, taken = Checker(), 0.0
    checker.check(Source(PATH, text), _reader(given))
    for now in (_edited(text, rng), text):
        began = time.process_time()
        found = checker.check(Source(PATH, now), _reader(given))
        taken = max(taken, time.process_time() - began)
        fresh = read_program(Source(PATH, now), _reader(given))
        if _findings(found) != _findings(fresh):
            raise Broken("another result when checked again", _difference(found, fresh))
    return taken


def _edited(text: str, rng: random.Random) -> str:
    start = rng.randint(0, len(text))
    end = min(len(text), start + rng.choice([0, 0, 1, 10, 100]))
    return text[:start] + rng.choice(["", "", "\n", "x", " | 3", "\nop zz = relu\n", "# said\n"]) + text[end:]


def _findings(program: Program) -> list[Any]:
    return [
        (
            *(f.code, _at(f.span), f.message, f.help, f.when, f.inner),
            *((_at(label.span), label.message) for label in f.labels),
            *((_at(edit.span), edit.text) for edit in f.fix),
        )
        for f in program.findings
    ]


def _at(span: Span) -> tuple[str, int, int]:
    return span.source.path, span.start, span.end


def _difference(one: Program, other: Program) -> str:
    first, second = _findings(one), _findings(other)
    more, fewer = [f for f in first if f not in second], [f for f in second if f not in first]
    return f"only when checked again: {more[:3]}; only afresh: {fewer[:3]}"[:900]


def _reader(given: Input) -> Callable[[str], str]:
    def read(path: str) -> str:
        if path in given.files:
            return given.files[path]
        raise Unable(f"{path} is not there")

    return read


# Memory


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """The most memory that this process has held since, in megabytes."""
    return _status("VmHWM")


def held() -> float:
    """The memory that this process holds."""
    return _status("VmRSS")


def _status(word: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(word)) / 1024
