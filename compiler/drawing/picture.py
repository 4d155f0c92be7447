"""The picture of a space, or of an architecture of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atnas.compiler.activity import Genotype, activity
from atnas.compiler.drawing import labels
from atnas.compiler.drawing.alone import Alone
from atnas.compiler.drawing.bodies import inner, pictured
from atnas.compiler.drawing.boxes import text_block
from atnas.compiler.drawing.choices import NOTE, note
from atnas.compiler.drawing.facts import gather, patterns
from atnas.compiler.drawing.legend import legend
from atnas.compiler.drawing.library import Library
from atnas.compiler.drawing.marks import Drawn, Run
from atnas.compiler.drawing.page import WIDTH, page
from atnas.compiler.drawing.page import Panel as Shown
from atnas.compiler.drawing.parts import Num, Panel
from atnas.compiler.drawing.svg import svg
from atnas.compiler.drawing.unfolding import Instance, Unfolding
from atnas.compiler.drawing.view import View, listed
from atnas.compiler.graph import lower
from atnas.dsl.cases import at
from atnas.dsl.modules import Declared
from atnas.dsl.net import Net
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text


def picture(
    declared: Declared, net: Net, remarks: Sequence[str], genotype: Genotype | None = None, alone: bool = False
) -> str:
    """A space as SVG with lines of text under its title.

    With the genotype of an architecture, that is marked in the space; `alone`, it is drawn without the rest.
    """
    library = Library()
    space = Unfolding(net, library).space(library.space(declared))
    facts = gather(net, space)
    if genotype is None:
        view, panels = View(facts, inner), _panels(space)
        title, about = f"The space {net.name}", _decisions(net)
    else:
        needed = activity(lower(net))
        active = frozenset(n for n, where in needed.nodes.items() if at(where, genotype))
        taken = [o if is_active else None for o, is_active in zip(genotype, needed.of(genotype), strict=True)]
        view, panels = View(facts, inner, taken, active), _panels(space)
        title, about = f"An architecture of the space {net.name}", _taken(view)
        if alone:
            one = Alone(facts, genotype, active)
            view, panels = View(one.shown, inner), one.of(space)
    shown = [_shown(panel, view, remarks if i == 0 else ()) for i, panel in enumerate(panels)]
    marks = [mark for each in shown for mark in each.drawn.marks]
    return svg(page(shown, legend(marks)), title, "\n".join([*remarks, *about]))


def _panels(space: Instance) -> list[Panel]:
    """What is declared, as a reader comes to it."""
    return list(dict.fromkeys(use.inner.panel for use in space.walk() if use.inner is not None))


def _shown(panel: Panel, view: View, remarks: Sequence[str]) -> Shown:
    outputs = [port.name.id for port in panel.syntax.outputs]
    under: list[list[Run]] = [[(remark, "faint")] for remark in remarks]
    content = pictured(panel.body, outputs, view, WIDTH)
    return Shown(labels.heading(panel), under, content, list(_foot(panel, view)))


def _foot(panel: Panel, view: View) -> Iterator[Drawn]:
    """The numbers of a body, and what it requires."""
    for name, default in panel.defaults.items():
        if isinstance(default, Num) and default.sites:
            yield note(name, default, view)
    for name, number in panel.numbers:
        yield note(name, number, view)
    for line in panel.syntax.body:
        if isinstance(line, ast.Require):
            guard = "" if line.guard is None else f" if {text(line.guard)}"
            yield text_block([[("require ", "faint"), (text(line.condition) + guard, "plain")]], NOTE, centered=False)


def _decisions(net: Net) -> Iterator[str]:
    """What is decided, for those who do not see it."""
    groups: dict[str, list[str]] = {}
    for decision in net.decisions:
        groups.setdefault(listed(decision), []).append(decision.name)
    for options, names in groups.items():
        yield f"{', '.join(patterns(names))} = {options}"


def _taken(view: View) -> Iterator[str]:
    for decision, option in enumerate(view.taken or ()):
        if option is not None:
            yield view.said(decision, option)
