"""`atnas explain`"""

from __future__ import annotations

import click

from atnas.dsl.errors import Unable
from atnas.dsl.findings.explain import Explanation, explanations
from atnas.dsl.findings.suggest import nearest


@click.command()
@click.argument("code", required=False)
def command(code: str | None) -> int:
    """What a finding means, why it matters, and its cure; without a CODE, all codes."""
    known = explanations()
    if code is None:
        for explanation in known.values():
            click.echo(f"{explanation.code}  {explanation.title}")
        return 0
    found = known.get(code.upper())
    if found is None:
        close = nearest(code.upper(), list(known))
        cure = f"did you mean {close}?" if close else "`atnas explain` lists all codes"
        raise Unable(f"there is no finding `{code}`; {cure}")
    click.echo(_text(found))
    return 0


def _text(found: Explanation) -> str:
    parts = [f"{found.code}: {found.title}", found.text]
    if found.fails:
        parts += [f"Wrong:\n\n{_indented(found.fails)}", f"Right:\n\n{_indented(found.cured)}"]
    return "\n\n".join(p for p in parts if p)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip().splitlines())
