"""The figures of a report: how a run learned, what its search saw, and how what it found does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import isfinite
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from atnas.runtime.figures import interval, value
from atnas.runtime.learn.interval import confidence
from atnas.runtime.report.material import Material, latest
from atnas.runtime.report.style import FAINT, HEIGHT, INK, SERIES, figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from atnas.runtime.search.searcher import Trial

MANY: Final = 2_000
"""Points from which on a figure keeps them as a picture."""

DECISIONS: Final = 8
"""Decisions that are shown, those that explain most."""

RATE: Final = "tasks_per_second"
"""What an event of training has, and one of validation has not."""

VALUES: Final = 40
"""Different scores up to which each has a bar of its own."""

BARS: Final = 25

WINDOW: Final = 25
"""Training figures that are averaged for a curve."""


@dataclass(frozen=True)
class Plot:
    """A figure by the name of its file, with what it says for those who do not see it."""

    name: str
    title: str
    said: str
    figure: Figure


def plots(run: Material) -> list[Plot]:
    """All figures that there is something for."""
    with styled():
        found = (learning([run]), search(run), trade_off(run), decisions(run), tasks(run))
        return [plot for plot in found if plot is not None]


def learning(runs: Sequence[Material]) -> Plot | None:
    """Scores on validation tasks over meta-training; of a single run those on training tasks, too."""
    runs = [run for run in runs if run.metrics]
    if not runs:
        return None
    measure = runs[0].measure
    made, axes = figure()
    said = []
    for color, run in zip(SERIES * len(runs), runs, strict=False):
        of_training = [event for event in run.metrics if RATE in event]
        training = "train_accuracy" if measure == "accuracy" else "loss"
        steps = [(event["step"], event[training]) for event in of_training if event.get(training) is not None]
        others = [event for event in run.metrics if RATE not in event]
        validation = [(event["step"], event[measure]) for event in others if event.get(measure) is not None]
        if len(runs) == 1 and steps:
            axes.plot(*zip(*_smooth(steps), strict=True), color=FAINT, linewidth=1, label="training tasks")
        if validation:
            label = "validation tasks" if len(runs) == 1 else run.name
            axes.plot(*zip(*validation, strict=True), color=color, marker=".", linewidth=1.5, label=label)
            best = (max if run.higher_is_better else min)(validation, key=lambda pair: pair[1])
            score = f"best validation {measure} {value(best[1], measure)} at meta step {best[0]:,}"
            said.append(f"{run.name}: {score}, along paths drawn as training draws them")
    _axes(axes, "meta step", measure)
    axes.legend(loc="best")
    return Plot("learning", "Meta-training", "; ".join(said) or "no validation yet", made)


def search(run: Material) -> Plot | None:
    """Every trial by its primary score, and the best so far."""
    if not run.scored:
        return None
    goal = run.goals[0]
    numbers = [trial.number for trial in run.scored]
    values = [trial.values[goal] for trial in run.scored if trial.values]
    better = max if run.directions[goal] == "maximize" else min
    best = list(accumulate(values, better))
    made, axes = figure()
    _points(axes, numbers, values, label="a trial")
    axes.step(numbers, best, where="post", color=SERIES[0], linewidth=1.5, label="best so far")
    _axes(axes, "trial", goal)
    _legend(axes, len(numbers))
    failed = len(run.trials) - len(run.scored)
    said = f"{len(run.trials):,} trials, {failed} of them failed; best {goal} {value(best[-1], goal)}"
    if goal in ("accuracy", "loss"):
        said += ", on validation tasks: the best of many looks better there than it is"
    return Plot("search", "The search, trial by trial", said, made)


def trade_off(run: Material) -> Plot | None:
    """Primary score against the second goal, or against params: every architecture, and the front as it grew."""
    if not run.latest:
        return None
    goal, *others = run.goals
    other = others[0] if others else "params"
    scored = [trial for trial in run.scored if others or other in trial.costs]
    tried = latest(scored)
    if len(tried) < 2:
        return None
    points = {trial.number: _point(trial, goal, other) for trial in scored}
    directions = (run.directions[goal], run.directions.get(other, "minimize"))
    made, axes = figure()
    x, y = zip(*(points[trial.number] for trial in tried), strict=True)
    _points(axes, x, y, label="an architecture")
    last = max(trial.generation for trial in tried)
    shades = sorted({last // 4, last // 2, last}) if last else [0]
    for i, generation in enumerate(shades):
        known = latest(trial for trial in scored if trial.generation <= generation)
        front = _front([points[trial.number] for trial in known], directions)
        opacity = 0.35 + 0.65 * (i + 1) / len(shades)
        label = f"front after generation {generation + 1}"
        axes.step(*zip(*front, strict=True), where="post", color=SERIES[0], alpha=opacity, label=label)
    _axes(axes, other, goal)
    _legend(axes, len(tried))
    said = f"{len(tried):,} architectures; {len(front)} on the front of {goal} and {other}"
    return Plot("front", f"{goal.capitalize()} and {other}", said, made)


def decisions(run: Material) -> Plot | None:
    """Mean primary score of those architectures that take an option, for the decisions that explain most."""
    found = run.contributed[:DECISIONS]
    if not found:
        return None
    goal = run.goals[0]
    rows = sum(len(one.options) + 1 for one in found)
    made, axes = figure(max(HEIGHT, 0.19 * rows + 0.6))
    y, labels = 0, []
    for i, one in enumerate(found):
        y += 1
        axes.text(0.015, y, _cut(one.decision), transform=axes.get_yaxis_transform(), weight="bold", va="center")
        for option in one.options:
            y += 1
            error = option.error if isfinite(option.error) else 0.0
            axes.errorbar(option.mean, y, xerr=error, color=SERIES[i % len(SERIES)], marker="o", markersize=4)
            labels.append((y, _cut(option.name)))
    axes.set_yticks([at for at, _ in labels], [label for _, label in labels])
    axes.set_ylim(y + 0.7, 0.3)
    axes.grid(visible=False, axis="y")
    _axes(axes, f"mean {goal} of those that take it", goal, swapped=True)
    top = found[0]
    said = f"`{top.decision}` explains most: {100 * top.share:.0f} % of the variance of {goal} among what was tried"
    return Plot("decisions", "What each decision contributes", said, made)


def tasks(run: Material) -> Plot | None:
    """Scores on test tasks: how they spread, and means with 95 % intervals, of the found one and of the controls."""
    rows = [(_row(name, each), per_task(each)) for name, each in run.tests.items()]
    rows = [(name, scores) for name, scores in rows if scores]
    if not rows:
        return None
    made, axes = figure(max(1.6, 0.75 * len(rows) + 0.7))
    said = []
    for y, ((name, scores), color) in enumerate(zip(rows, SERIES * len(rows), strict=False)):
        _spread(axes, y, scores, color)
        mean, half = confidence(scores)
        axes.errorbar(mean, y, xerr=half, color=INK, marker="o", markersize=4, capsize=3, zorder=4)
        said.append(f"{name}: {interval(mean, half, run.measure)}")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    _axes(axes, f"{run.measure} on a test task", run.measure, swapped=True)
    return Plot("tasks", f"{len(rows[0][1]):,} test tasks", "; ".join(said), made)


def per_task(each: Sequence[Mapping[str, Any]]) -> list[float]:
    """Of every task the mean over architectures; none where a score is missing."""
    columns = list(zip(*(row["scores"] for row in each), strict=True))
    if any(score is None for column in columns for score in column):
        return []
    return [fmean(column) for column in columns]


def _row(name: str, each: Sequence[Mapping[str, Any]]) -> str:
    return f"{len(each)} random" if name == "random" else name


def _spread(axes: Axes, y: float, scores: Sequence[float], color: str) -> None:
    """How often scores fall where, as an area above and below a line."""
    import numpy as np

    counts, edges = np.histogram(scores, bins=_bins(scores))
    heights = 0.38 * counts / counts.max()
    lines = np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
    places = np.concatenate([[edges[0]], np.repeat(edges, 2)[1:-1], [edges[-1]]])
    axes.fill_between(places, y - lines, y + lines, color=color, alpha=0.35, linewidth=0)


def _bins(scores: Sequence[float]) -> Sequence[float] | int:
    """Places between bars: around each value where there are few, as shares of right answers are, else evenly."""
    values = sorted(set(scores))
    if not 2 <= len(values) <= VALUES:
        return min(BARS, 2 + int(len(scores) ** 0.5))
    middles = [(a + b) / 2 for a, b in pairwise(values)]
    return [2 * values[0] - middles[0], *middles, 2 * values[-1] - middles[-1]]


def _points(axes: Axes, x: Sequence[float], y: Sequence[float], label: str) -> None:
    import numpy as np

    many = len(x) > MANY
    axes.scatter(
        np.asarray(x, float),
        np.asarray(y, float),
        s=3 if many else 9,
        color=FAINT,
        alpha=0.5,
        linewidths=0,
        rasterized=many,
        label=label,
    )


def _legend(axes: Axes, points: int) -> None:
    """Where it hides least; that takes seconds to find out among many points."""
    axes.legend(loc="best" if points <= MANY else "lower right")


def _point(trial: Trial, goal: str, other: str) -> tuple[float, float]:
    """(Cost, score) of a trial that has values."""
    values = trial.values or {}
    return float(values[other] if other in values else trial.costs[other]), values[goal]


def _front(points: Sequence[tuple[float, float]], directions: tuple[str, str]) -> list[tuple[float, float]]:
    """Those (cost, score) that no other beats in both, by cost."""
    score, cost = (1.0 if direction == "maximize" else -1.0 for direction in directions)
    front: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda p: (-cost * p[0], -score * p[1])):
        if not front or score * point[1] > score * front[-1][1]:
            front.append(point)
    return sorted(front)


def _smooth(steps: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Means over the last few."""
    for i, (step, _) in enumerate(steps):
        yield step, fmean(value for _, value in steps[max(0, i - WINDOW + 1) : i + 1])


def _axes(axes: Axes, x: str, y: str, swapped: bool = False) -> None:
    """Names the axes; accuracies are shares, shown as percent, large numbers get commas."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

    axes.set_xlabel(x)
    if not swapped:
        axes.set_ylabel(y)
    value, other = (axes.xaxis, None) if swapped else (axes.yaxis, axes.xaxis)
    if y == "accuracy":
        value.set_major_formatter(PercentFormatter(1.0))
    if other is not None:
        other.set_major_locator(MaxNLocator(5))
        other.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.10g}"))


def _cut(text: str, most: int = 34) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
