"""`atnas runs`"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from atnas.cli.console import output
from atnas.runtime.figures import interval
from atnas.runtime.summary import Summary, runs

NOTHING = "no run in {root}; `atnas run FILE` makes one in runs/EXPERIMENT"


@click.command()
@click.argument("root", metavar="[DIR]", default="runs", type=click.Path(file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(root: str, as_json: bool) -> int:
    """Runs and what they found; those that were judged alike stand in one table, best first.

    DIR is the folder that they lie in, runs/ if not given.
    """
    found = runs(Path(root))
    if as_json:
        click.echo(json.dumps({"version": 1, "runs": list(map(_plain, found))}, indent=2, ensure_ascii=False))
        return 0
    if not found:
        click.echo(NOTHING.format(root=root), err=True)
        return 0
    finished = [each for each in found if each.result is not None]
    key = lambda each: json.dumps(each.protocol)  # noqa: E731
    for _, alike in groupby(sorted(finished, key=key), key):
        _judged(list(alike), Path(root))
    unfinished = [each for each in found if each.result is None]
    if unfinished:
        _going(unfinished, Path(root))
    return 0


def _judged(alike: Sequence[Summary], root: Path) -> None:
    measure, *protocol = alike[0].protocol
    accuracy = measure[1] == "accuracy"
    rows = [_row(each, root, measure[1]) for each in sorted(alike, key=lambda one: _rank(one, accuracy))]
    same = [name for name in ("space", "learner", "seed") if len({row[name] for row in rows}) == 1]
    words = [f"{name} {_word(value)}" for name, value in protocol] + [f"{name} {rows[0][name]}" for name in same]
    table = Table(title=Text(", ".join(words)), title_justify="left")
    shown = [name for name in rows[0] if name not in same]
    for name in shown:
        words_in = name in ("run", "space", "learner")
        table.add_column(name, justify="left" if words_in else "right", no_wrap=not words_in)
    for row in rows:
        table.add_row(*(Text(row[name]) for name in shown))
    output().print(table)


def _row(each: Summary, root: Path, measure: str) -> dict[str, str]:
    """What stands in the columns of a table."""
    result: Any = each.result
    return {
        "run": _name(each, root),
        "space": result["space"],
        "learner": result["protocol"]["learner"],
        measure: interval(result["score"], result["ci95"], measure),
        "params": f"{result['params']:,}",
        "macs": f"{result['macs']:,}",
        "tasks trained": f"{result['training']['tasks']:,}",
        "trials": f"{result['search']['trials']:,}" if result["search"]["trials"] else "",
        "seed": str(result["protocol"]["seed"]),
    }


def _going(unfinished: Sequence[Summary], root: Path) -> None:
    table = Table(title="without a result", title_justify="left")
    for name in ("run", "experiment", "state", "meta step"):
        table.add_column(name)
    for each in unfinished:
        table.add_row(
            *map(Text, (_name(each, root), str(each.about.get("experiment", "")), each.trouble or each.state)),
            _progress(each),
        )
    output().print(table)


def _progress(each: Summary) -> str:
    total = each.about.get("iterations")
    return f"{each.step:,}" + (f" of {total:,}" if isinstance(total, int) else "")


def _rank(each: Summary, accuracy: bool) -> float:
    score = each.result["score"] if each.result else None
    return float("inf") if score is None else -score if accuracy else score


def _name(each: Summary, root: Path) -> str:
    """Below the folder that was asked for; by its own name where it is that folder."""
    return str(each.root.relative_to(root)) if each.root != root else each.root.resolve().name


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _plain(each: Summary) -> dict[str, Any]:
    known: dict[str, Any] = {"folder": str(each.root), "state": each.state, "step": each.step, "about": each.about}
    return known | ({"trouble": each.trouble} if each.trouble else {}) | {"result": each.result}
