"""Settings replaced from outside a file, as `--set learner.steps=5` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from atnas.dsl.plugins import entries
from atnas.dsl.settings.accepts import Accepts
from atnas.dsl.settings.extensions import loaded
from atnas.dsl.settings.fields import known
from atnas.dsl.settings.model import Settings
from atnas.dsl.syntax import ast


def override(
    declaration: ast.Settings, path: Sequence[str], value: ast.Expr, model: type[Settings] | None = None
) -> ast.Settings:
    """The declaration with one setting replaced or added; what is new has the span of `value`.

    A path of several names goes into arguments: `learner`, `steps` is the `steps` of `learner = maml(..)`.
    An argument written without its name is found where the declaration has a `model`. Raises `ValueError`
    where the path leads nowhere.
    """
    if not path or not all(path):
        raise ValueError("a name is missing: write `setting` or `setting.argument`")
    if declaration.short is not None:
        raise ValueError(f"`{declaration.keyword} {declaration.name.id}` is no list of settings")
    name, *rest = path
    for i, line in enumerate(declaration.body):
        if isinstance(line, ast.Bind | ast.Draw) and line.name.id == name:
            new = value if not rest else _within(line.value, rest, value, name, _accepts(model, name))
            body = (*declaration.body[:i], ast.Bind(line.span, line.name, new), *declaration.body[i + 1 :])
            return replace(declaration, body=body)
    if rest:
        raise ValueError(f"`{name}` is not set in `{declaration.keyword} {declaration.name.id}`; set it as a whole")
    added = ast.Bind(value.span, ast.Name(value.span, name), value)
    return replace(declaration, body=(*declaration.body, added))


def _within(expr: ast.Expr, path: Sequence[str], value: ast.Expr, holder: str, accept: Accepts | None) -> ast.Expr:
    """The expression with the argument at the path replaced or added."""
    if isinstance(expr, ast.Name):
        expr = ast.Call(expr.span, expr, ())
    if not isinstance(expr, ast.Call):
        raise ValueError(f"`{holder}` is `{expr.span.text}` and has no arguments to set")
    name, *rest = path
    model = _model(expr.function.id, accept)
    at = _position(expr, name, model)
    if at is None:
        if rest:
            raise ValueError(f"`{name}` is not given to `{expr.function.id}`; set it as a whole")
        added = ast.Argument(value.span, ast.Name(value.span, name), value)
        return replace(expr, arguments=(*expr.arguments, added))
    old = expr.arguments[at]
    new = value if not rest else _within(old.value, rest, value, name, _accepts(model, name))
    arguments = (*expr.arguments[:at], replace(old, value=new), *expr.arguments[at + 1 :])
    return replace(expr, arguments=arguments)


def _position(call: ast.Call, name: str, model: type[Settings] | None) -> int | None:
    """Which argument has the name, written or by its position."""
    unnamed = iter(model.positional if model else ())
    for i, argument in enumerate(call.arguments):
        if (argument.name.id if argument.name else next(unnamed, None)) == name:
            return i
    return None


def _accepts(model: type[Settings] | None, name: str) -> Accepts | None:
    return known(model)[name].accepts if model and name in known(model) else None


def _model(word: str, accept: Accepts | None) -> type[Settings] | None:
    """The class that a word stands for in a field."""
    if accept is None:
        return None
    if accept.extension is not None and word in entries(accept.extension.group):
        return loaded(accept.extension.group, word)
    return accept.variant(word)
