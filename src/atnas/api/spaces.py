"""Programs, their spaces, and architectures of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from atnas.compiler.space import Compiled, compile
from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.modules import Declared

if TYPE_CHECKING:
    from torch import nn

    from atnas.compiler.encoding import Genotype
    from atnas.runtime.program import Program as Read


class Program:
    """A checked file of the language."""

    def __init__(self, path: Path, read: Read) -> None:
        self.path = path
        self._read = read

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is legal and seldom meant."""
        return tuple(self._read.findings)

    @property
    def experiments(self) -> tuple[str, ...]:
        """The names of its experiments."""
        return tuple(self._read.plans)

    @cached_property
    def spaces(self) -> dict[str, Space]:
        """Its spaces by name: those that stand by themselves, all their parameters having defaults."""
        worked = self._read.every_space()
        names = self._read.module.names
        return {name: Space(compile(one.net), names[name]) for name, one in worked.items() if one.net is not None}

    def space(self, name: str | None = None) -> Space:
        """The space of this name, or the only one. Raises `Unable` where there is none, or several and no name."""
        if name is None and len(self.spaces) == 1:
            return next(iter(self.spaces.values()))
        if name is None or name not in self.spaces:
            asked = "which space" if name is None else f"no space `{name}`"
            raise Unable(f"{self.path}: {asked}; it has {', '.join(self.spaces) or 'none that stands by itself'}")
        return self.spaces[name]

    def __repr__(self) -> str:
        return f"<atnas program {self.path}: spaces {list(self.spaces)}, experiments {list(self.experiments)}>"


class Space:
    """A search space: architectures that can be counted, drawn and costed exactly."""

    def __init__(self, compiled: Compiled, declared: Declared) -> None:
        self._compiled = compiled
        self._declared = declared

    @property
    def name(self) -> str:
        """As it is declared."""
        return self._compiled.net.name

    @property
    def count(self) -> int:
        """How many architectures it has, exactly."""
        return self._compiled.encoding.count()

    @property
    def decisions(self) -> dict[str, tuple[Any, ...]]:
        """Its decisions with their options."""
        return {decision.name: decision.options for decision in self._compiled.net.decisions}

    def extremes(self, metric: str) -> tuple[int, int]:
        """The least and the most of `params`, `macs`, `flops`, `activations` or `depth` over all architectures."""
        low, high = (self._compiled.costs.extreme(metric, largest)[0] for largest in (False, True))
        return low, high

    def sample(self, n: int = 1, *, seed: int = 0) -> list[Architecture]:
        """Draws architectures, each as likely as any other; the same seed gives the same.

        Raises `Unable` where none meets the constraints.
        """
        rng = Random(seed)
        try:
            return [Architecture(self, self._compiled.encoding.sample(rng)) for _ in range(n)]
        except ValueError as error:
            raise Unable(str(error)) from error

    def architecture(self, decisions: Mapping[str, Any]) -> Architecture:
        """The architecture that takes these options. Raises ValueError where the space has none such."""
        return Architecture(self, self._compiled.encoding.encode(dict(decisions)))

    def svg(self) -> str:
        """A picture of it."""
        from atnas.compiler.drawing.picture import picture

        return picture(self._declared, self._compiled.net, (f"{self.count:,} architectures",))

    def _repr_html_(self) -> str:
        from atnas.runtime.report.html import picture

        return picture(self.svg(), repr(self))

    def __repr__(self) -> str:
        return f"<space {self.name}: {len(self.decisions)} decisions, {self.count:,} architectures>"


class Architecture(Mapping[str, Any]):
    """One architecture of a space: its decisions, those that matter in it, with what they take."""

    def __init__(self, space: Space, genotype: Genotype) -> None:
        self.space = space
        self._genotype = genotype
        self._taken = space._compiled.encoding.decode(genotype)

    def __getitem__(self, decision: str) -> Any:
        return self._taken[decision]

    def __iter__(self) -> Iterator[str]:
        return iter(self._taken)

    def __len__(self) -> int:
        return len(self._taken)

    @property
    def costs(self) -> dict[str, int]:
        """params, macs, flops, activations and depth, exactly."""
        return dict(self.space._compiled.costs.of(self._genotype))

    def module(self, *, seed: int = 0) -> nn.Module:
        """It as a plain PyTorch module with new weights, which nothing was learned by."""
        from atnas.compiler.supernet import Supernet

        compiled = self.space._compiled
        return Supernet(compiled.net, compiled.encoding, seed).extract(self._genotype)

    def svg(self) -> str:
        """A picture of the space with it marked."""
        from atnas.compiler.drawing.picture import picture

        costs = self.costs
        remarks = (f"one architecture, {costs['params']:,} params, {costs['macs']:,} macs",)
        return picture(self.space._declared, self.space._compiled.net, remarks, self._genotype)

    def _repr_html_(self) -> str:
        from atnas.runtime.report.html import picture

        return picture(self.svg(), repr(self))

    def __repr__(self) -> str:
        return f"<architecture of {self.space.name}: {', '.join(f'{k} = {v}' for k, v in self.items())}>"
