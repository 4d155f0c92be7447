"""Numbers drawn anew for each task, as written after `~`."""

from __future__ import annotations

from collections.abc import Sequence

from atnas.dsl.settings.accepts import Accepts
from atnas.dsl.settings.distributions import Between, OneOf
from atnas.dsl.settings.draw import Draw
from atnas.dsl.settings.reading import BAD, Bad, Reader, is_uniform, short
from atnas.dsl.syntax import ast


def drawn(reader: Reader, expr: ast.Expr, accept: Accepts) -> Draw | Bad:
    """What is drawn from. Every number that can come is held to the bounds of the field."""
    if expr == ast.Name(expr.span, ""):  # the parser could not read it, and said so
        return BAD
    if not accept.draws:
        message = f"`{accept.name}` is the same for all tasks and cannot be drawn"
        return reader.report("E506", expr.span, message, f"write `{accept.name} = ..`")
    found = _draw(reader, expr, accept)
    if found is not BAD and not isinstance(found, accept.draws):
        return reader.report("E506", expr.span, f"`{accept.name}` cannot be drawn in this way")
    return found


def _draw(reader: Reader, expr: ast.Expr, accept: Accepts) -> Draw | Bad:
    match expr:
        case ast.Choice(options=options):
            return _one_of(reader, options, accept)
        case ast.Range():
            return _between(reader, expr, accept)
        case ast.Call() if is_uniform(expr):
            return reader.uniform(expr, accept)
        case _:
            message = f"`~` draws numbers, as `1 | 5`, `5..20` and `uniform(0, 1)` do, not `{short(expr.span)}`"
            return reader.report("E508", expr.span, message, f"write `{accept.name} = ..` to set it")


def _one_of(reader: Reader, options: Sequence[ast.Expr], accept: Accepts) -> Draw | Bad:
    numbers = [reader.end(option, accept) for option in options]
    good = tuple(number for number in numbers if number is not BAD)
    return OneOf(options=good) if len(good) == len(numbers) else BAD


def _between(reader: Reader, expr: ast.Range, accept: Accepts) -> Draw | Bad:
    low, high = reader.end(expr.low, accept), reader.end(expr.high, accept)
    step = 1 if expr.step is None else reader.number(expr.step, accept)
    if low is BAD or high is BAD or step is BAD:
        return BAD
    if not (isinstance(low, int) and isinstance(high, int) and isinstance(step, int)):
        cure = f"`uniform({short(expr.low.span)}, {short(expr.high.span)})` draws any number between"
        return reader.report("E508", expr.span, "a range goes over whole numbers", cure)
    if expr.step is not None and step < 1:
        message = f"the step must be at least 1, not `{short(expr.step.span)}`"
        return reader.report("E508", expr.step.span, message)
    if low > high:
        return reader.report("E508", expr.span, "this range is empty: its first number is the larger")
    return Between(first=low, last=high, step=step)
