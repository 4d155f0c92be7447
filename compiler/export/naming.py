"""What a class or function is given, and what that is called: widths after where they come in and go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from atnas.compiler.export.calls import SIZE, Argument, Values
from atnas.compiler.export.defaults import usual

Found = Mapping[tuple[str, Values], Sequence[str]]
"""Values by their role, and the members in which they are asked for."""

TOKENS = {"in_features", "out_features", "normalized_shape", "d", "channels"}
"""Widths of what has no channels but features."""

FOLLOWING = ("padding", "groups")
"""Settings that most often follow from others."""

OFTEN = 2
"""A width that is asked for this much more often than another has a name of its own."""

MULTIPLES = (2, 3, 4, 6, 8)


@dataclass(frozen=True)
class Parameter:
    """What is given to a class or function; `values` are one for each use, numbers and settings or parts."""

    name: str
    role: str
    values: Values
    default: Any = None
    has_default: bool = False

    @property
    def annotation(self) -> str:
        """Its type."""
        kinds = dict.fromkeys(_type(value) for value in self.values)
        if len(kinds) > 1 and "float" in kinds:
            kinds.pop("int", None)
        return " | ".join(sorted(kinds, key=lambda kind: kind == "None"))


class Namer:
    """Names what differs inside, one role after the other. `names` are how values of a role are written."""

    def __init__(self, inputs: Mapping[str, Iterable[Values]], outputs: Iterable[Values], taken: Iterable[str]) -> None:
        self.inputs = {name: set(values) for name, values in inputs.items()}
        self.outputs = set(outputs)
        self.names: dict[tuple[str, Values], str] = {}
        self.parameters: list[Parameter] = []
        self._taken = set(taken)

    def sizes(self, wanted: Sequence[Argument]) -> None:
        """Names widths; one that is a multiple of another, or the sum of two, is written so, if not too often."""
        has_tokens = {argument.name for argument in wanted} <= TOKENS
        base, inner = ("dim", "hidden") if has_tokens else ("c", "width")
        counts = Counter(argument.values for argument in wanted if set(argument.values) != {1})
        ends = [v for v in counts if self._comes_in(v) or v in self.outputs]
        for value in ends:
            self._add(self._end(value, base), SIZE, value)
        for value in (v for v in counts if v not in ends):
            known = {p.name: p.values for p in self.parameters if counts[value] <= OFTEN * counts[p.values]}
            text = _derived(value, known)
            if text:
                self.names[SIZE, value] = text
            else:
                self._add(inner if base in self._taken else base, SIZE, value)

    def settings(self, found: Found) -> None:
        """Names what else differs; what follows from a window or a width is written as that."""
        rest = {(role, values): members for (role, values), members in found.items() if role != SIZE}
        varied = {(role, v): m for (role, v), m in rest.items() if len(set(v)) > 1 and role not in FOLLOWING}
        counts = Counter(role for role, _ in varied)
        for (role, values), members in sorted(varied.items(), key=lambda item: item[0][0] == "kernel"):
            if role == "kernel" and ("stride", values) in self.names:  # a pool's window is its stride
                self.names[role, values] = self.names["stride", values]
            else:
                self._add(role if counts[role] == 1 or not members[0] else f"{members[0]}_{role}", role, values)
        for role, values in rest:
            if role in FOLLOWING and (text := self._followed(role, values)):
                self.names[role, values] = text
            elif role in FOLLOWING and len(set(values)) > 1:
                self._add(role, role, values)

    def parts(self, name: str, values: Values) -> None:
        """A member that is given as a module."""
        self.parameters.append(Parameter(name, "module", values))

    def whole(self) -> list[Parameter]:
        """The parameters, those with defaults last."""
        widths = [p for p in self.parameters if p.role == SIZE]
        rest = [_usual(p) for p in self.parameters if p.role != SIZE]
        return [*widths, *sorted(rest, key=lambda p: p.has_default)]

    def _comes_in(self, values: Values) -> list[str]:
        return [name for name, sizes in self.inputs.items() if values in sizes]

    def _end(self, values: Values, base: str) -> str:
        comes = self._comes_in(values)
        if comes and values in self.outputs:
            return base
        return f"{base}_in" if comes else f"{base}_out"

    def _followed(self, role: str, values: Values) -> str:
        if role == "groups":
            return self.names.get((SIZE, values), "") if max(values) > 1 else ""
        if len(set(values)) == 1:
            return ""
        for (r, windows), name in self.names.items():
            if r == "kernel" and all(isinstance(w, int) for w in windows):
                for text, padding in (
                    (f"{name} // 2", [w // 2 for w in windows]),
                    (f"{name} - 1", [w - 1 for w in windows]),
                ):
                    if list(values) == padding:
                        return text
        return ""

    def _add(self, name: str, role: str, values: Values) -> None:
        free, count = name, 1
        while free in self._taken:
            count += 1
            free = f"{name}_{count}"
        self._taken.add(free)
        self.names[role, values] = free
        self.parameters.append(Parameter(free, role, values))


def _derived(values: Values, known: Mapping[str, Values]) -> str:
    """Widths as a multiple of known ones, or a sum."""
    for name, others in known.items():
        for times in MULTIPLES:
            if all(v == times * o for v, o in zip(values, others, strict=True)):
                return f"{times} * {name}"
            if all(v * times == o for v, o in zip(values, others, strict=True)):
                return f"{name} // {times}"
    for name, others in known.items():
        for second, more in known.items():
            if second > name and all(v == a + b for v, a, b in zip(values, others, more, strict=True)):
                return f"{name} + {second}"
    return ""


def _usual(parameter: Parameter) -> Parameter:
    if parameter.role == "module":
        return parameter
    default = usual(parameter.values)
    return replace(parameter, default=default[0], has_default=True) if default else parameter


def _type(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, type):
        return "type[nn.Module]"
    if isinstance(value, bool | int | float | str):
        return type(value).__name__
    if isinstance(value, tuple):
        return f"tuple[{', '.join(map(_type, value))}]"
    return "nn.Module"
