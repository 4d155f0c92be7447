"""A run, or several side by side, as one page: the answer first, then how it came about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from atnas.dsl.errors import Unable
from atnas.runtime.figures import asked, difference, interval, value
from atnas.runtime.folder import RunFolder
from atnas.runtime.learn.interval import paired
from atnas.runtime.report.html import Html, figure, node, page, pairs, picture, table
from atnas.runtime.report.material import Material
from atnas.runtime.report.plots import Plot, learning, per_task, plots
from atnas.runtime.report.style import styled, svg

SHOWN = 12
"""Trials in the table, the best."""


def report(runs: Sequence[Material]) -> str:
    """The page. What a run has not come to yet is left out, and it says so."""
    if len(runs) == 1:
        (run,) = runs
        return page(f"{_experiment(run)}: report", [node("h1", _experiment(run)), *_whole(run)])
    names = ", ".join(run.name for run in runs)
    return page(f"{len(runs)} runs: {names}", [node("h1", f"{len(runs)} runs"), *_beside(runs), *_each(runs)])


def short(run: Material) -> str:
    """The answer and the figures of a run, for a notebook's cell."""
    figures = [_figure(plot) for plot in plots(run)]
    grid = node("div", figures, style="display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr))")
    return node("div", node("h3", _experiment(run)), list(_answer(run)), _controls(run) or "", grid)


def _whole(run: Material) -> Iterator[Html]:
    yield from _answer(run)
    drawn = {plot.name: plot for plot in plots(run)}
    yield from _section("How it does", drawn, ("tasks",), _controls(run))
    yield from _section("How it was found", drawn, ("learning", "search", "front", "decisions"))
    yield from _trials(run)
    yield from _architecture(run)
    yield from _protocol(run)
    yield from _provenance(run)


# The answer


def _answer(run: Material) -> Iterator[Html]:
    if not run.result:
        about = run.summary.about
        yield node("p", f"Not finished: {run.summary.state} at meta step {run.summary.step:,}", class_="answer")
        yield node("p", f"`atnas run` goes on with it. Experiment {about.get('experiment')}, seed {about.get('seed')}.")
        return
    result, protocol = run.result, run.result["protocol"]
    yield node("p", interval(result["score"], result["ci95"], run.measure), class_="answer")
    tasks = asked(protocol)
    yield node("p", f"{run.measure} on {tasks}, which neither training nor search has seen; ± is a 95 % interval.")
    size = f"{result['params']:,} parameters, {result['macs']:,} multiply-accumulates for one example"
    if result["architecture"]:
        count = int(result["architectures"])
        yield node(
            "p", f"Found among {_count(count)} architectures of the space ", node("code", result["space"]), f": {size}."
        )
    else:
        yield node("p", "The network ", node("code", result["space"]), f": {size}.")
    for name, control in result["controls"].items():
        yield node("p", _than(name, control, run.measure))


def _than(name: str, control: Mapping[str, Any], measure: str) -> str:
    label = f"the mean of {control['count']} random architectures" if name == "random" else f"the {name} architecture"
    mean, half = control["difference"]["mean"], control["difference"]["ci95"]
    if mean is None or half is None:
        return f"Beside {label} it cannot be set: that has no finite score."
    better = mean if measure == "accuracy" else -mean
    size = difference(abs(mean), half, measure, sign="") + " points" * (measure == "accuracy")
    if abs(mean) <= half:
        return f"Not told apart from {label}: the difference is {size} on the same tasks."
    return f"{'Better' if better > 0 else 'Worse'} than {label} by {size} on the same tasks."


def _controls(run: Material) -> Html | None:
    if not run.result:
        return None
    mine = {"found" if run.result["controls"] else run.result["space"]: run.result}
    rows = [
        (
            _label(name, row),
            interval(row["score"], row["ci95"], run.measure),
            f"{row['params']:,}",
            f"{row['macs']:,}",
            _difference(row, run.measure),
        )
        for name, row in {**mine, **run.result["controls"]}.items()
    ]
    head = ("architecture", run.measure, "params", "macs", "found - this")
    return table("Adapted to the same test tasks; differences are paired by task", head, rows)


# How it was found


def _trials(run: Material) -> Iterator[Html]:
    if not run.latest:
        return
    goal = run.goals[0]
    rank = -1 if run.directions[goal] == "maximize" else 1
    best = sorted(run.latest, key=lambda t: rank * (t.values or {})[goal])[:SHOWN]
    costs = [
        name for name in ("params", "macs") if name not in run.goals and all(name in trial.costs for trial in best)
    ]
    rows = [
        (
            f"trial {trial.number}",
            *(value((trial.values or {})[g], g) for g in run.goals),
            *(f"{trial.costs[name]:,}" for name in costs),
            node("code", _written(trial.architecture)),
        )
        for trial in best
    ]
    shown = table(
        f"The best {len(rows)} of {len(run.latest):,} architectures that were tried", ("", *run.goals, *costs, ""), rows
    )
    parts = [shown, _options(run), _failures(run)]
    yield node("details", node("summary", "In numbers"), [part for part in parts if part is not None])


def _options(run: Material) -> Html | None:
    found = run.contributed
    if not found:
        return None
    goal = run.goals[0]
    rows = [
        (node("code", one.decision), f"{100 * one.share:.1f} %", option.name, value(option.mean, goal), option.count)
        for one in found
        for option in one.options
    ]
    return table(
        "Decisions by the share of the variance that their options explain; means say what went together",
        ("decision", "explains", "option", f"mean {goal}", "architectures"),
        rows,
    )


def _failures(run: Material) -> Html | None:
    failed: dict[str, int] = {}
    for trial in run.trials:
        if trial.failure:
            failed[trial.failure] = failed.get(trial.failure, 0) + 1
    rows = sorted(failed.items(), key=lambda pair: -pair[1])
    return table("Trials that failed", ("reason", "trials"), rows) if rows else None


def _architecture(run: Material) -> Iterator[Html]:
    taken = run.result.get("architecture")
    if not taken:
        return
    yield node("h2", "The architecture that was found")
    try:
        drawing = _drawn(run, taken)
    except (Unable, ValueError, KeyError) as error:
        why = " ".join(str(error).split())
        yield node("p", f"No picture: the program of this run is read otherwise today ({why}).")
    else:
        said = f"The space {run.result['space']}, and in it: {_written(taken)}"
        match = re.search(r'<svg[^>]* width="([\d.]+)', drawing)
        wide = picture(drawing, said, float(match.group(1)) if match else None)
        yield node("div", wide, class_="wide", tabindex="0", role="region", aria_label="The space, drawn")
    yield node("details", node("summary", "Its decisions"), pairs((k, _word(v)) for k, v in taken.items()))


def _drawn(run: Material, taken: Mapping[str, Any]) -> str:
    """The space with the architecture marked in it. Raises where its program means something else today."""
    from atnas.compiler.drawing.picture import picture
    from atnas.compiler.space import compile
    from atnas.runtime.artifact import plan_of
    from atnas.runtime.checking import read_program

    artifact = RunFolder(run.summary.root).artifact()
    plan = plan_of(artifact)
    module = read_program(artifact.main, artifact.read).module
    declared = module.names[plan.settings.space.name]
    genotype = compile(plan.net).encoding.encode(dict(taken))
    return picture(declared, plan.net, (), genotype)


# Protocol and cost


def _protocol(run: Material) -> Iterator[Html]:
    if not run.result:
        return
    result = run.result
    yield node("h2", "Protocol")
    yield node("p", "Figures of other protocols do not belong beside these.", class_="faint")
    yield pairs((name, _word(value)) for name, value in result["protocol"].items() if value is not None)
    yield node("h2", "What it took")
    training, search = result["training"], result["search"]
    yield pairs(
        [
            ("meta-training", f"{training['tasks']:,} tasks in {training['iterations']:,} steps, {_time(training)}"),
            *([("search", f"{search['trials']:,} evaluations, {_time(search)}")] if search["trials"] else []),
            ("judging", f"{result['test_seconds']:,.0f} s"),
            *([("memory", f"{result['memory_mib']:,} MiB at most")] if result.get("memory_mib") else []),
        ]
    )


def _time(part: Mapping[str, Any]) -> str:
    seconds = float(part["seconds"])
    return f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 60:,.0f} minutes"


def _provenance(run: Material) -> Iterator[Html]:
    about = dict(run.summary.about)
    yield node("h2", "Where it comes from")
    yield pairs([("folder", run.name), *((name, _word(value)) for name, value in about.items())])
    command = f"atnas run {run.name}/program.atnasc --out again"
    yield node("p", "The same once more, from the folder that holds this run:")
    yield node("pre", command)


# Several


def _beside(runs: Sequence[Material]) -> Iterator[Html]:
    finished = [run for run in runs if run.result]
    ordered = sorted(finished, key=lambda run: json.dumps(run.summary.protocol))
    for protocol, alike in groupby(ordered, key=lambda run: run.summary.protocol):
        shown = _alike(list(alike), ", ".join(f"{name} {_word(value)}" for name, value in protocol[1:]))
        yield node("section", list(shown))
    for run in runs:
        if not run.result:
            yield node("p", f"{run.name}: {run.summary.state} at meta step {run.summary.step:,}")


def _alike(runs: Sequence[Material], protocol: str) -> Iterator[Html]:
    """Runs that were judged alike, in one table and one figure."""
    measure = runs[0].measure
    best = _best(runs)
    rows = [
        (
            node("a", run.name, href=f"#{_anchor(run)}"),
            interval(run.result["score"], run.result["ci95"], measure),
            _against(best, run),
            f"{run.result['params']:,}",
            f"{run.result['macs']:,}",
            f"{run.result['training']['tasks']:,}",
            f"{run.result['search']['trials']:,}",
            run.result["protocol"]["seed"],
        )
        for run in runs
    ]
    head = ("run", measure, f"{best.name} - this", "params", "macs", "tasks trained", "trials", "seed")
    yield table(protocol, head, rows)
    with styled():
        curve = learning(runs)
    if curve is not None:
        yield node("div", _figure(curve), class_="grid")


def _best(runs: Sequence[Material]) -> Material:
    scores = [(run.result["score"], run) for run in runs if run.result["score"] is not None]
    if not scores:
        return runs[0]
    return (max if runs[0].higher_is_better else min)(scores, key=lambda pair: pair[0])[1]


def _against(best: Material, run: Material) -> str:
    """The difference on the same tasks; nothing where the tasks are others."""
    seeds = {each.result["protocol"]["seed"] for each in (best, run)}
    mine, other = (per_task(each.tests.get("found", ())) for each in (best, run))
    if run is best or len(seeds) > 1 or not mine or len(mine) != len(other):
        return ""
    mean, half = paired(mine, other)
    return difference(mean, half, run.measure)


def _each(runs: Sequence[Material]) -> Iterator[Html]:
    for run in runs:
        yield node("h2", run.name)
        inside = node("div", list(_whole(run)), id=_anchor(run))  # so that a link to it opens what it is in
        yield node("details", node("summary", "The whole run"), inside)


def _anchor(run: Material) -> str:
    return "run-" + re.sub(r"\W+", "-", str(run.summary.root))


# Words


def _section(
    title: str, drawn: Mapping[str, Plot], names: Sequence[str], numbers: Html | None = None
) -> Iterator[Html]:
    figures = [_figure(drawn[name]) for name in names if name in drawn]
    if not figures and numbers is None:
        return
    yield node("h2", title)
    if numbers is not None:
        yield numbers
    if figures:
        yield node("div", figures, class_="grid")


def _figure(plot: Plot) -> Html:
    return figure(plot.title, svg(plot.figure), plot.said)


def _experiment(run: Material) -> str:
    return str(run.result.get("experiment") or run.summary.about.get("experiment") or run.name)


def _label(name: str, row: Mapping[str, Any]) -> str:
    return f"mean of {row['count']} random" if name == "random" else f"the {name}" if "count" in row else name


def _difference(row: Mapping[str, Any], measure: str) -> str:
    """Of a control; nothing of what was found."""
    between = row.get("difference")
    return difference(between["mean"], between["ci95"], measure) if between else ""


def _count(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"{float(count):.2e}" if count < 10**300 else f"10^{len(str(count)) - 1}"


def _written(architecture: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_word(value)}" for name, value in architecture.items())


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
