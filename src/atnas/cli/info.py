"""`atnas info`"""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from atnas.cli.check import report
from atnas.cli.console import output
from atnas.cli.files import read_text, source
from atnas.compiler.conditions import conditions
from atnas.compiler.constraints import speaks_of_metrics
from atnas.compiler.space import Compiled, compile
from atnas.dsl.errors import Unable
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.net import InputNode, Net
from atnas.runtime.checking import read_program
from atnas.runtime.program import Plan, Program
from atnas.runtime.project import inside
from atnas.runtime.tasks.mixture import Mixture

VERSION = 1
ASIDE = " (`require` lines over metrics set aside)"
METRICS = ("params", "macs", "activations", "depth")

SHOWN = 40
"""Decisions listed for people; --json lists all."""


@click.command()
@click.argument("file")
@click.option("--space", help="Only this space.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="For programs: `version`, `spaces`, `experiments`, `tasks`.",
)
def command(file: str, space: str | None, as_json: bool) -> int:
    """What a file holds: spaces with their exact sizes and costs, experiments and tasks."""
    program = read_program(source(file), inside(file, read_text))
    if not program.good:
        return report(program.findings)
    spaces = program.every_space()
    nets = {name: worked.net for name, worked in spaces.items() if worked.net is not None}
    if space is not None and space not in nets:
        close = nearest(space, list(nets))
        raise Unable(f"{file} has no space `{space}`" + (f"; did you mean `{close}`?" if close else ""))
    wanted = {name: net for name, net in nets.items() if space in (None, name)}
    described = {name: describe(compile(net)) for name, net in wanted.items()}
    if as_json:
        whole = {
            "version": VERSION,
            "spaces": list(described.values()),
            "experiments": [_experiment(p) for p in program.plans.values()],
            "tasks": [_tasks(name, program) for name in program.tasks],
        }
        click.echo(json.dumps(whole, indent=2, ensure_ascii=False))
        return 0
    console = output()
    for name, about in described.items():
        exact = not any(speaks_of_metrics(c) for c in wanted[name].constraints)
        _show_space(console, about, spaces[name].sizes, exact, program.module.names[name].syntax.doc)
    for plan in program.plans.values():
        _show_experiment(console, plan)
    return 0


def describe(space: Compiled) -> dict[str, Any]:
    """A space as `info --json` gives it. Minima and maxima are exact."""
    return {
        "name": space.net.name,
        "inputs": [{"name": n.name, "shape": list(n.shape)} for n in _inputs(space.net)],
        "outputs": [name for name, _ in space.net.outputs],
        "decisions": [
            {"name": d.name, "kind": d.kind, "options": list(d.options), "when": when}
            for d, when in zip(space.net.decisions, conditions(space.graph), strict=True)
        ],
        "architectures": str(space.encoding.count()),
        "unique": None,
        **{
            metric: {"min": _extreme(space, metric, largest=False), "max": _extreme(space, metric, largest=True)}
            for metric in METRICS
        },
    }


def _extreme(space: Compiled, metric: str, largest: bool) -> int | None:
    """None where constraints leave no architecture."""
    return space.costs.extreme(metric, largest)[0] if space.encoding.count() else None


def _inputs(net: Net) -> list[InputNode]:
    return [n for n in net.nodes if isinstance(n, InputNode)]


def _experiment(plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "space": plan.settings.space.name,
        "tasks": plan.settings.tasks,
        "train": plan.settings.train,
        "search": plan.settings.search,
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
    table = Table(box=None, padding=(0, 2), show_header=True)
    for column in ("", "min", "max"):
        table.add_column(column, justify="right" if column else "left")
    for metric in METRICS:
        table.add_row(metric, _figure(about[metric]["min"]), _figure(about[metric]["max"]))
    console.print(table)
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
    least, most = (_figure(_extreme(space, "params", largest)) for largest in (False, True))
    aside = "" if space.encoding.exact else ASIDE
    console.print(f"  {_counted(space.encoding.count())}, {least} to {most} params{aside}", soft_wrap=True)


def _figure(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _counted(count: int) -> str:
    if count < 1_000_000:
        return f"{count} architecture{'s' * (count != 1)}"
    text = str(count)
    return f"{count} architectures, about {text[0]}.{text[1:3]}e{len(text) - 1}"
