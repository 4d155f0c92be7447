"""`atnas fmt` over every example, the standard library and generated programs: what is promised of it, counted.

    python benchmarks/format.py --programs 10000

Of each file: formatting what is formatted changes nothing; every comment is there, in order; the syntax tree is equal;
and the checked program is equal: its findings, and for each space the network that it is worked out to. Generated
programs have odd spaces and comments between their words; half of them have every construct and mostly mean something
wrong, the others are without errors. Exits with 1 and names the seed where something does not hold.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from random_programs import random_program  # noqa: E402
from sound_programs import sound_program  # noqa: E402

from atnas.dsl.errors import Unable  # noqa: E402
from atnas.dsl.net import InputNode, Net  # noqa: E402
from atnas.dsl.source import Source, Span  # noqa: E402
from atnas.dsl.syntax import ast  # noqa: E402
from atnas.dsl.syntax.comments import comments  # noqa: E402
from atnas.dsl.syntax.format import formatted  # noqa: E402
from atnas.dsl.syntax.parse import parse  # noqa: E402
from atnas.runtime.checking import read_program  # noqa: E402

QUOTED = re.compile("`[^`]*`")
NOWHERE = Span(Source("nowhere", ""), 0, 0)


def main() -> int:
    """Formats everything and prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=10_000, help="how many programs are generated")
    parser.add_argument("--seed", type=int, default=0, help="of the first of them")
    options = parser.parse_args()
    failed = 0
    for title, texts in (("files", files()), ("programs", generated(options.seed, options.programs))):
        counts = Counter[str]()
        began = time.perf_counter()
        for name, text in texts:
            try:
                wrong = broken_promises(text, counts)
            except Exception as error:  # told like the others, so that one does not hide the rest
                wrong = [f"{type(error).__name__}: {error}"]
            failed += bool(wrong)
            if wrong:
                print(f"{name}: {', '.join(wrong)}", file=sys.stderr)
        lines = ", ".join(f"{n:,} {what}" for what, n in counts.items())
        print(f"{title}: {lines} ({time.perf_counter() - began:.0f} s)", flush=True)
    print(f"{failed} failed")
    return 1 if failed else 0


def files() -> Iterator[tuple[str, str]]:
    """The programs of the repository."""
    for folder in ("examples", "grammars/std", "tests/spec/programs"):
        for path in sorted((ROOT / folder).glob("*.atnas")):
            yield str(path), path.read_text(encoding="utf-8")


def generated(first: int, count: int) -> Iterator[tuple[str, str]]:
    """Programs, half of them without errors, a quarter of each half without odd spaces and comments."""
    for seed in range(first, first + count):
        make = (random_program, sound_program)[seed % 2]
        text = make(random.Random(seed), noise=(0, 0.05, 0.3, 0.6)[seed // 2 % 4])
        yield f"seed {seed}", text.replace("\r\n", "\n")


def broken_promises(text: str, counts: Counter[str]) -> list[str]:
    """What does not hold of a program's text."""
    program, findings = parse(Source("file.atnas", text))
    if findings:
        return [f"syntax error: {findings[0].message}"]
    once = formatted(program)
    again, findings = parse(Source("file.atnas", once))
    before, after = checked(text), checked(once)
    counts["programs"] += 1
    counts["declarations"] += len(program.declarations)
    counts["lines"] += once.count("\n")
    counts["comments"] += len(comments(text))
    counts["changed"] += once != text
    counts["without errors"] += all(code.startswith("W") for code, *_ in before["findings"])
    counts["spaces worked out"] += len(before["nets"])
    counts["experiments"] += len(before["plans"])
    holds = {
        "not idempotent": formatted(again) == once,
        "other comments": [c.text for c in comments(once)] == [c.text for c in comments(text)],
        "another syntax tree": not findings and again.declarations == program.declarations,
        "another checked program": before == after,
    }
    return [what for what, good in holds.items() if not good]


def checked(text: str) -> dict[str, Any]:
    """What checking a program gives, without the places in its text and what is quoted of it."""
    program = read_program(Source("file.atnas", text), nothing)
    worked = {name: placeless(worked.net) for name, worked in program.spaces.items() if worked.net is not None}
    return {
        "findings": sorted((f.code, *map(unquoted, (f.message, f.help or ""))) for f in program.findings),
        "nets": worked,
        "plans": sorted(program.plans),
        "documents": [d.doc for d in program.module.program.declarations if isinstance(d, ast.Layer)],
    }


def unquoted(text: str) -> str:
    """A sentence without what it quotes of the program, which may have other spaces."""
    return QUOTED.sub("``", text)


def placeless(net: Net) -> Net:
    """A network without the places in the text that its parts come from."""
    parts = {field: tuple(map(nowhere, getattr(net, field))) for field in ("nodes", "decisions", "constraints")}
    return replace(net, **parts)


def nowhere(part: Any) -> Any:
    return part if isinstance(part, InputNode) else replace(part, span=NOWHERE)


def nothing(path: str) -> str:
    """Generated programs use files that are not there."""
    raise Unable(f"{path} is not there")


if __name__ == "__main__":
    sys.exit(main())
