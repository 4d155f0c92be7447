"""The result of a run as a table for people."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from atnas.cli.console import output
from atnas.dsl.latency import NANOSECONDS, duration, metric
from atnas.runtime.figures import asked, difference, interval


def show(result: dict[str, Any]) -> None:
    """Prints the found architecture beside its controls, on standard output."""
    measure = result["measure"]
    console = output()
    protocol = result["protocol"]
    table = Table(title=Text(f"{result['experiment']}: {asked(protocol)}"), title_justify="left")
    table.add_column("architecture")
    table.add_column(measure, justify="right")
    table.add_column("params", justify="right")
    table.add_column("macs", justify="right")
    for device in result.get("latency", {}):
        table.add_column(Text(metric(device)), justify="right")
    table.add_column("found - this", justify="right")
    controls = result["controls"]
    table.add_row("found" if controls else Text(result["space"]), *_figures(result, measure), "")
    for name, control in controls.items():
        label = f"mean of {control['count']} random" if name == "random" else f"the {name}"
        between = control["difference"]
        shown = difference(between["mean"], between["ci95"], measure)
        table.add_row(Text(label), *_figures(control, measure), shown)
    console.print(table)
    if result["architecture"]:
        console.print(
            "found: " + ", ".join(f"{k} = {v}" for k, v in result["architecture"].items()), soft_wrap=True, markup=False
        )


def _figures(row: dict[str, Any], measure: str) -> tuple[str, ...]:
    times = (duration(round(seconds * NANOSECONDS)) for seconds in row.get("latency", {}).values())
    return interval(row["score"], row["ci95"], measure), f"{row['params']:,}", f"{row['macs']:,}", *times
