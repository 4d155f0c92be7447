"""The card of a model in Markdown: what it does, how well, on what, and where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from atnas.compiler.survey import interval as wilson
from atnas.runtime.figures import asked, interval

Rows = Iterable[tuple[str, Any]]


def card(about: Mapping[str, Any], costs: Mapping[str, int], result: Mapping[str, Any]) -> str:
    """`about` is model.json's; `result` that of the run it comes from, empty where that has none."""
    return "\n".join(_lines(about, costs, result)) + "\n"


def _lines(about: Mapping[str, Any], costs: Mapping[str, int], result: Mapping[str, Any]) -> Iterator[str]:
    labels = about["labels"]
    yield f"# An image classifier of {len(labels)} classes"
    yield ""
    yield f"It tells these apart: {', '.join(map(_code, labels))}. An image of anything else is given one of them, too."
    yield ""
    yield "## Use"
    yield ""
    yield "```sh"
    yield "atnas predict FOLDER image.jpg"
    yield "atnas export FOLDER --to onnx"
    yield "```"
    yield ""
    channels, height, width = about["images"]["shape"]
    kind = "grey" if channels == 1 else "colour"
    yield f"It takes {kind} images of {height} x {width}: turned upright, cut to the square in the middle, resized"
    mean, std = (_numbers(about["images"][name]) for name in ("mean", "std"))
    yield f"(bilinear), numbers from 0 to 1, less {mean}, over {std}."
    yield ""
    yield "## How well it goes"
    yield ""
    yield _score(about)
    yield ""
    yield f"It was adapted to {_support(about['support'])}."
    if result:
        yield ""
        figure = interval(result["score"], result["ci95"], result["measure"])
        yield f"The run it comes from reached {figure} on {asked(result['protocol'])}."
    yield ""
    yield "## The network"
    yield ""
    rows = [("space", about["space"]), *costs.items(), *about["architecture"].items()]
    yield from _table(("", ""), ((name, f"{value:,}" if isinstance(value, int) else value) for name, value in rows))
    yield ""
    yield "## Where it comes from"
    yield ""
    yield from _table(("", ""), [("adapted", about["adapted"]), ("norm", about["norm"]), *about["run"].items()])


def _score(about: Mapping[str, Any]) -> str:
    held = about["cross_validation"]
    if not held["asked"]:
        return "Not known: with one image in a class nothing could be held out."
    tried = held["architectures"]
    best = f" The architecture is the best of {tried} by the same, so that it looks a little better than it is."
    share = wilson(held["right"], held["asked"])
    said = f"{held['right']} of {held['asked']} images right in cross-validation over {held['parts']} parts: "
    said += f"{100 * share.low:.0f} to {100 * share.high:.0f} %, Wilson's 95 % interval."
    return said + best if tried > 1 else said


def _support(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} image{'s' * (count != 1)} of {_code(name)}" for name, count in counts.items())


def _table(head: tuple[str, str], rows: Rows) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "| --- | --- |"
    for name, value in rows:
        if value is not None:
            yield f"| {_code(name)} | {_cell(value)} |"


def _numbers(values: Iterable[float]) -> str:
    return " / ".join(f"{value:.4g}" for value in values)


def _code(text: object) -> str:
    """As it is, whatever it holds: between more backticks than stand together in it."""
    plain = _cell(text)
    longest = max(map(len, re.findall("`+", plain)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{space}{plain}{space}{ticks}"


def _cell(value: object) -> str:
    """One line that ends no cell."""
    return " ".join(str(value).split()).replace("|", "\\|")
