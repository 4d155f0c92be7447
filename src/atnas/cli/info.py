"""`atnas info`"""

from __future__ import annotations

import json
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from atnas.cli.check import report
from atnas.cli.console import output
from atnas.cli.describe import describe, latency
from atnas.compiler.conflicts import conflict
from atnas.compiler.space import compile
from atnas.dsl.latency import NANOSECONDS, duration, metric
from atnas.runtime.program import Plan, Program
from atnas.runtime.spaces import ASIDE, spaces
from atnas.runtime.tasks.mixture import Mixture

VERSION: Final = 1
METRICS: Final = ("params", "macs", "activations", "depth")
BARS: Final = "▁▂▃▄▅▆▇█"

SHOWN: Final = 40
"""Decisions listed for people; --json lists all."""


@click.command()
@click.argument("file")
@click.option("--space", help="Only this space.")
@click.option("--unique", is_flag=True, help="Count those that are different functions, too.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="For programs: `version`, `spaces`, `experiments`, `tasks`.",
)
def command(file: str, space: str | None, unique: bool, as_json: bool) -> int:
    """What a file holds: spaces with their exact sizes and costs, experiments and tasks."""
    found = spaces(file, space)
    compiled = {name: compile(net) for name, net in found.nets.items()}
    described = {name: describe(one, unique) for name, one in compiled.items()}
    program = found.program
    if as_json:
        whole = {
            "version": VERSION,
            "spaces": list(described.values()),
            "experiments": [_experiment(p) for p in program.plans.values()],
            "tasks": [_tasks(name, program) for name in program.tasks],
        }
        click.echo(json.dumps(whole, indent=2, ensure_ascii=False))
    else:
        console = output()
        for name, about in described.items():
            doc = program.module.names[name].syntax.doc
            _show_space(console, about, found.worked[name].sizes, compiled[name].encoding.exact, doc)
        for plan in program.plans.values():
            _show_experiment(console, plan)
    unmet = [finding for one in compiled.values() if (finding := conflict(one)) is not None]
    return report(unmet) if unmet else 0


def _experiment(plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "space": plan.settings.space.name,
        "tasks": plan.settings.tasks,
        "train": plan.settings.train,
        "search": plan.settings.search,
        **(latency(compile(plan.narrowed)) if plan.narrowed.tables else {}),
    }


def _tasks(name: str, program: Program) -> dict[str, Any]:
    tasks = program.tasks[name]
    return {
        "name": name,
        "source": "mix" if isinstance(tasks, Mixture) else type(tasks.source).__name__,
        "shape": list(tasks.shape),
        "loss": tasks.loss,
    }


def _show_space(console: Console, about: dict[str, Any], sizes: dict[str, int], exact: bool, doc: str) -> None:
    inputs = ", ".join(f"{i['name']}: ({', '.join(map(str, i['shape']))})" for i in about["inputs"])
    console.print(f"[bold]space {about['name']}[/bold]  {inputs}", soft_wrap=True)
    for line in doc.splitlines():
        console.print(f"  {line}", style="dim", markup=False, soft_wrap=True)
    if sizes:
        free = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        console.print(f"  free sizes, given by the tasks of an experiment; shown for {free}", soft_wrap=True)
    console.print(f"  {_counted(int(about['architectures']))}{'' if exact else ASIDE}", soft_wrap=True)
    same = _unique(about)
    if same:
        console.print(f"  {same}", soft_wrap=True)
    console.print(_costs(about))
    for constraint in about["constraints"]:
        console.print(f"  {constraint['line']}: {_share(constraint)}", soft_wrap=True, markup=False)
    if not about["decisions"]:
        console.print("  no decisions: a network, not a search space")
    for decision in about["decisions"][:SHOWN]:
        options = " | ".join(str(o) for o in decision["options"][:8])
        more = " | .." if len(decision["options"]) > 8 else ""
        when = f"   when {decision['when']}" if decision["when"] else ""
        console.print(f"  {decision['name']} = {options}{more}{when}", soft_wrap=True, markup=False)
    if len(about["decisions"]) > SHOWN:
        console.print(f"  .. and {len(about['decisions']) - SHOWN} more (--json lists all)")


def _show_experiment(console: Console, plan: Plan) -> None:
    of = plan.settings
    parts = f"{of.space.name} over {of.tasks}, trained by {of.train}"
    console.print(
        f"[bold]experiment {plan.name}[/bold]  {parts}" + (f", searched by {of.search}" if of.search else ""),
        soft_wrap=True,
    )
    space = compile(plan.narrowed)
    count = space.encoding.count()
    least, most = (_figure(space.costs.extreme("params", large)[0] if count else None) for large in (False, True))
    aside = "" if space.encoding.exact else ASIDE
    devices = latency(space).get("latency", {}).items()
    times = "".join(f", {_time(ends['min'])} to {_time(ends['max'])} on {device}" for device, ends in devices)
    console.print(f"  {_counted(count)}, {least} to {most} params{times}{aside}", soft_wrap=True)


def _unique(about: dict[str, Any]) -> str:
    if about["unique"] is not None:
        return f"{about['unique']} of them are different functions"
    drawn = about.get("unique_of_samples")
    if drawn is None:
        return ""
    low, high = (_percent(end) for end in drawn["ci95"])
    return f"of {drawn['samples']:,} drawn, {drawn['different']:,} are different functions ({low} to {high} %)"


def _costs(about: dict[str, Any]) -> Table:
    """The least and the most of each metric, and how the architectures spread between."""
    spread = about["distribution"]
    title = f"spread of {spread['architectures']:,} {'in all' if _is_whole(spread) else 'drawn'}" if spread else ""
    table = Table(box=None, padding=(0, 2), show_header=True)
    table.add_column("")
    table.add_column("min", justify="right")
    table.add_column("max", justify="right")
    table.add_column(title)
    for name in METRICS:
        bars = _bars(spread[name]["counts"]) if spread else ""
        table.add_row(name, _figure(about[name]["min"]), _figure(about[name]["max"]), bars)
    for device, ends in about.get("latency", {}).items():
        bars = _bars(spread["latency"][device]["counts"]) if spread else ""
        table.add_row(metric(device), _time(ends["min"]), _time(ends["max"]), bars)
    return table


def _is_whole(spread: dict[str, Any]) -> bool:
    return bool(spread["of"] == "every architecture")


def _bars(counts: list[int]) -> str:
    """A histogram as one word: a part in which there is anything has at least the lowest bar."""
    most = max(counts)
    return "".join(BARS[-(-count * len(BARS) // most) - 1] if count else " " for count in counts)


def _share(constraint: dict[str, Any]) -> str:
    """`44.8 % of the space`, with the interval where it was estimated."""
    low, high = constraint["ci95"]
    between = "" if constraint["exact"] else f" ({_percent(low)} to {_percent(high)})"
    return f"{_percent(constraint['share'])} % of the space meet it{between}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}"


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else duration(round(seconds * NANOSECONDS))


def _figure(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _counted(count: int) -> str:
    if count < 1_000_000:
        return f"{count} architecture{'s' * (count != 1)}"
    text = str(count)
    return f"{count} architectures, about {text[0]}.{text[1:3]}e{len(text) - 1}"
