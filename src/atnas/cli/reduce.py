"""`atnas reduce`"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atnas.cli.console import printable
from atnas.dsl.errors import Unable
from atnas.runtime.sources import read_text

if TYPE_CHECKING:
    from atnas.runtime.reducing import Needed, Reduced
    from atnas.runtime.trained import Trained


ALL = "No decision is behind it: whatever one of them takes instead, it fails as well."
TIED = "Which decision is behind it cannot be told: constraints allow no other architecture near it."


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@click.option(
    "--arch",
    metavar="ID",
    help="A trial by its number or the beginning of its identity, JSON, or @FILE; the first that failed if not given.",
)
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="The longest that one may take.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def command(run: str, arch: str | None, seconds: float | None, as_json: bool) -> int:
    """Reduce an architecture that failed to the smallest that still fails, and show where in the source it comes from.

    RUN is the folder of a run, which stays as it is. Weights are its best, or those that it has come to.
    """
    from atnas.runtime.reducing import reduced
    from atnas.runtime.trained import architecture, so_far

    found = so_far(Path(run))
    if arch is None:
        failed = next((trial for trial in found.trials if trial.failure), None)
        if failed is None:
            raise Unable(f"no trial of {run} failed; --arch names another architecture")
        click.echo(f"trial {failed.number} failed: {printable(str(failed.failure))}", err=True)
        arch = str(failed.number)
    genotype = architecture(found, read_text(arch[1:]).strip() if arch.startswith("@") else arch)
    smallest = reduced(found, genotype, seconds, _told)
    if sys.stderr.isatty():
        click.echo(err=True)
    words = found.space.encoding.decode(smallest.genotype)
    if as_json:
        click.echo(json.dumps(_object(smallest, words), ensure_ascii=False))
    else:
        click.echo("\n".join(_text(found, smallest, words)))
    return 0


def _told(count: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{count} evaluated", err=True, nl=False)


def _text(run: Trained, smallest: Reduced, words: dict[str, Any]) -> Iterator[str]:
    from atnas.dsl.findings.render import Mark, excerpt

    costs = run.space.costs.of(smallest.genotype)
    yield printable(smallest.failure)
    yield f"The smallest that fails so, of {smallest.tried} that were evaluated, has {costs['params']:,} params:"
    yield json.dumps(words, ensure_ascii=False)
    marks = [Mark(each.decision.span, "-", _works(each)) for each in smallest.needed]
    if smallest.layer is not None:
        marks.insert(0, Mark(smallest.layer.span, "^", f"`{smallest.layer.place}` is where it happens"))
    if marks:
        yield from excerpt(marks)
    if not smallest.needed:
        yield ALL if smallest.free else TIED


def _works(needed: Needed) -> str:
    others = " or ".join(json.dumps(option, ensure_ascii=False) for option in needed.works)
    return f"`{needed.decision.name}` is {json.dumps(needed.option, ensure_ascii=False)}; with {others} it works"


def _object(smallest: Reduced, words: dict[str, Any]) -> dict[str, Any]:
    from atnas.dsl.findings.render import ends

    layer = smallest.layer
    return {
        "version": 1,
        "architecture": words,
        "failure": smallest.failure,
        "evaluated": smallest.tried,
        "layer": layer and {"place": layer.place, "file": layer.span.source.path, **ends(layer.span)},
        "needed": [
            {
                "decision": each.decision.name,
                "option": each.option,
                "works": list(each.works),
                "file": each.decision.span.source.path,
                **ends(each.decision.span),
            }
            for each in smallest.needed
        ],
    }
