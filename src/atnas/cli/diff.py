"""`atnas diff`"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click

from atnas.compiler.diff import diff
from atnas.compiler.identity import digest
from atnas.compiler.space import Compiled, compile
from atnas.dsl.net import Net
from atnas.runtime.meaning import changed
from atnas.runtime.spaces import Spaces, spaces

VERSION = 1


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--json", "as_json", is_flag=True, help="For programs: `version`, `spaces`, `experiments`.")
def command(old: str, new: str, as_json: bool) -> int:
    """What a change means: decisions, options and architectures, settings, and the weights that carry over.

    OLD and NEW are sources. Names, comments and the order of declarations are no change.
    """
    before, after = spaces(old), spaces(new)
    whole = {"version": VERSION, "spaces": _spaces(before, after), "experiments": _experiments(before, after)}
    if as_json:
        click.echo(json.dumps(whole, indent=2, ensure_ascii=False))
    else:
        for line in _told(whole):
            click.echo(line)
    return 0


def _spaces(before: Spaces, after: Spaces) -> list[dict[str, Any]]:
    old, new = before.nets, after.nets
    names = _names(old, new)
    found: list[dict[str, Any]] = []
    for name in new:
        was = names.get(name)
        if was is None:
            found.append({"name": name, "is": "added"})
        else:
            renamed = {"is": "in both"} if was == name else {"is": "renamed", "was": was}
            found.append({"name": name, **renamed, **_compared(compile(old[was]), compile(new[name]))})
    removed = (name for name in old if name not in names.values())
    return [*found, *({"name": name, "is": "removed"} for name in removed)]


def _names(old: Mapping[str, Net], new: Mapping[str, Net]) -> dict[str, str]:
    """What spaces were called before: the same, or as one that means the same and is gone, or as the only one gone."""
    names = {name: name for name in new if name in old}
    gone = {digest(net): name for name, net in old.items() if name not in new}
    added = [name for name in new if name not in old]
    for name in added:
        was = gone.pop(digest(new[name]), None)
        if was is not None:
            names[name] = was
    left = [name for name in added if name not in names]
    return names | {left[0]: next(iter(gone.values()))} if len(left) == len(gone) == 1 else names


def _compared(old: Compiled, new: Compiled) -> dict[str, Any]:
    found = diff(old, new)
    return {
        "same": found.is_same,
        "architectures": {"old": str(found.counts[0]), "new": str(found.counts[1])},
        "added": [{"name": d.name, "options": list(d.options)} for d in found.added],
        "removed": [{"name": d.name, "options": list(d.options)} for d in found.removed],
        "changed": [{"name": c.name, "added": list(c.added), "removed": list(c.removed)} for c in found.changed],
        "constraints": {"added": list(found.constraints_added), "removed": list(found.constraints_removed)},
        "new_contains_old": found.keeps,
        "old_contains_new": found.adds_none,
        "weights": None if found.is_same else _weights(old, new),
    }


def _weights(old: Compiled, new: Compiled) -> dict[str, int] | None:
    """What carries over; None where a space has no supernet."""
    from atnas.compiler.carry import carry

    if any(len(space.net.inputs) != 1 or len(space.net.outputs) != 1 for space in (old, new)):
        return None
    return asdict(carry(old.net, new.net))


def _experiments(before: Spaces, after: Spaces) -> list[dict[str, Any]]:
    old, new = before.program.plans, after.program.plans
    found: list[dict[str, Any]] = []
    for name in [*new, *(name for name in old if name not in new)]:
        if name in old and name in new:
            settings = [{"setting": key, "old": a, "new": b} for key, a, b in changed(old[name], new[name])]
            found.append({"name": name, "is": "in both", "settings": settings})
        else:
            found.append({"name": name, "is": "added" if name in new else "removed"})
    return found


def _told(whole: dict[str, Any]) -> Iterator[str]:
    for space in whole["spaces"]:
        is_compared = space["is"] in ("in both", "renamed")
        was = f", which was `{space['was']}`" if "was" in space else ""
        yield f"space {space['name']}" + (was if is_compared else f": {space['is']}")
        if is_compared:
            yield from (f"  {line}" for line in _space_lines(space))
    for experiment in whole["experiments"]:
        yield f"experiment {experiment['name']}" + ("" if experiment["is"] == "in both" else f": {experiment['is']}")
        if experiment["is"] == "in both":
            yield from (f"  {s['setting']}: {s['old']} -> {s['new']}" for s in experiment["settings"])
            if not experiment["settings"]:
                yield "  the same settings"


def _space_lines(space: dict[str, Any]) -> Iterator[str]:
    old, new = (int(space["architectures"][side]) for side in ("old", "new"))
    if space["same"]:
        yield f"the same, {new:,} architectures"
        return
    yield f"{old:,} -> {new:,} architectures"
    yield from (f"+ {d['name']} = {' | '.join(map(str, d['options']))}" for d in space["added"])
    yield from (f"- {d['name']} = {' | '.join(map(str, d['options']))}" for d in space["removed"])
    for change in space["changed"]:
        signs = [*(f"+ {word}" for word in change["added"]), *(f"- {word}" for word in change["removed"])]
        yield f"~ {change['name']}: {', '.join(signs)}"
    yield from (f"+ {line}" for line in space["constraints"]["added"])
    yield from (f"- {line}" for line in space["constraints"]["removed"])
    yield f"every old architecture is a new one: {_answer(space['new_contains_old'])}"
    yield f"every new architecture is an old one: {_answer(space['old_contains_new'])}"
    weights = space["weights"]
    if weights is not None:
        share = weights["numbers"] / max(1, weights["of_numbers"])
        layers = f"{weights['layers']} of {weights['of_layers']} layers"
        yield f"weights that carry over: {layers}, {share:.1%} of the new supernet"


def _answer(told: bool | None) -> str:
    return "cannot be told" if told is None else "yes" if told else "no"
