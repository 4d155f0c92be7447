"""`atnas list`"""

from __future__ import annotations

import inspect
import json
from typing import Any, cast

import click
from rich.table import Table

from atnas.cli.console import output
from atnas.dsl.errors import Unable
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.operator import parameters
from atnas.dsl.plugins import GROUPS, Group, entries, load
from atnas.dsl.settings.describe import describe


@click.command()
@click.argument("kind", type=click.Choice(GROUPS))
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(kind: str, name: str | None, as_json: bool) -> int:
    """What is installed of a kind; with a NAME, its parameters."""
    group = cast(Group, kind)
    names = list(entries(group))
    if name is not None and name not in names:
        close = nearest(name, names)
        cure = f"did you mean `{close}`?" if close else f"there are {', '.join(names)}"
        raise Unable(f"there is nothing called `{name}` among the {kind}; {cure}")
    wanted = [name] if name is not None else names
    found = [_described(group, n) for n in wanted]
    if as_json:
        click.echo(json.dumps({"version": 1, kind: found}, indent=2, ensure_ascii=False))
        return 0
    console = output()
    if name is None:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for item in found:
            table.add_row(item["name"], item["doc"].split("\n")[0])
        console.print(table)
        return 0
    item = found[0]
    console.print(f"{item['name']}: {item['doc']}", markup=False)
    for parameter in item["parameters"]:
        default = "" if parameter["default"] is None else f" = {parameter['default']}"
        console.print(f"  {parameter['name']}{default}  {parameter['type']}  {parameter['doc']}", markup=False)
    return 0


def _described(group: Group, name: str) -> dict[str, Any]:
    extension = load(group, name)
    return {
        "name": name,
        "doc": inspect.getdoc(extension) or "",
        "from": entries(group)[name].value.partition(":")[0],
        "parameters": _operator(extension) if group == "ops" else _settings(extension),
    }


def _operator(extension: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": p.name,
            "type": (" | ".join(p.words) or p.kind.__name__) + (", elastic" if p.elastic else ""),
            "default": None if p.required or p.default is None else _word(p.default),
            "doc": p.doc,
        }
        for p in parameters(extension)
    ]


def _settings(extension: Any) -> list[dict[str, Any]]:
    return [{"name": p.name, "type": p.type, "default": p.default, "doc": p.doc} for p in describe(extension)]


def _word(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
