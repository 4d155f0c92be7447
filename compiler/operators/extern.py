"""The operator behind every `extern op`: it imports the user's class, makes it and holds it to its declaration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Final

from atnas.dsl.errors import Unable
from atnas.dsl.extern import Signature, written
from atnas.dsl.operator import Cost, Operator, Shape

if TYPE_CHECKING:
    from torch import nn

EXAMPLES: Final = 2
"""Examples that a module is tried on: more than one, so that a forgotten batch dimension shows."""


@dataclass(frozen=True)
class Extern(Operator):
    """A layer of your own: a `torch.nn.Module` that `extern op` names. The fields are the parameters it declares."""

    signature: ClassVar[Signature]

    def shape(self, *inputs: Shape) -> Shape:
        """The declared shape. Raises `ShapeError`."""
        return self.signature.shape(self.signature.bind(inputs, vars(self)))

    def cost(self, *inputs: Shape) -> Cost:
        """Counted on the module itself: its parameters, and multiply-accumulates as torch counts them."""
        import torch
        from torch.utils.flop_counter import FlopCounterMode

        with torch.device("meta"):
            made = self.build(*inputs)
        params = sum(p.numel() for p in made.parameters())
        with FlopCounterMode(display=False) as counter:
            _output(made, inputs)
        macs = counter.get_total_flops() // 2 // EXAMPLES
        return Cost(params, macs, prod(self.shape(*inputs)) if params or macs else 0)

    def layers(self, *inputs: Shape) -> int:
        """One, whatever is inside."""
        del inputs
        return 1

    def build(self, *inputs: Shape) -> nn.Module:
        """Makes the class with the parameters, and with those sizes of the inputs that it asks for by name.

        Raises `Unable` where it is not there, is no `torch.nn.Module`, refuses its arguments, or gives another shape
        than was declared.
        """
        target, known = self.signature.target, self.signature.bind(inputs, vars(self))
        cls = _class(target)
        asked = {name: value for name, value in known.items() if name in vars(self) or name in _named(cls)}
        made: nn.Module = _tried(f"{target} cannot be made with {asked}", lambda: cls(**asked))
        given = _tried(
            f"{target} fails for {', '.join(map(written, inputs))}", lambda: tuple(_output(made, inputs).shape)
        )
        if given != (EXAMPLES, *self.shape(*inputs)):
            raise Unable(
                f"{target} gives {written(given[1:])} for {', '.join(map(written, inputs))}, "
                f"and `{self.signature.name}` declares {written(self.shape(*inputs))}"
            )
        return made


def _class(target: str) -> type[nn.Module]:
    from torch import nn

    module, _, name = target.partition(":")
    found: Any = _tried(f"{module}, named by an `extern op`, cannot be imported", lambda: import_module(module))
    for part in name.split("."):
        found = getattr(found, part, None)
    # A file may come from a stranger: nothing but a module of torch is ever called.
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise Unable(f"{target}, named by an `extern op`, is no subclass of torch.nn.Module")
    return found


def _named(cls: type[nn.Module]) -> set[str]:
    """The arguments that the class takes by name."""
    return {p.name for p in inspect.signature(cls).parameters.values() if p.kind is not p.VAR_KEYWORD}


def _output(made: nn.Module, inputs: Sequence[Shape]) -> Any:
    """What the module gives for some examples of zeros, where its parameters are; it is left as it was."""
    import torch

    parameter = next(made.parameters(), None)
    device = torch.get_default_device() if parameter is None else parameter.device
    was = made.training
    with torch.no_grad():
        out = made.eval()(*[torch.zeros(EXAMPLES, *shape, device=device) for shape in inputs])
    made.train(was)
    return out


def _tried(what: str, action: Callable[[], Any]) -> Any:
    """What the user's code gives. Raises `Unable` with `what` and its reason: it may fail in any way."""
    try:
        return action()
    except Exception as error:
        cure = "; is its folder on PYTHONPATH?" if isinstance(error, ModuleNotFoundError) else ""
        raise Unable(f"{what}: {error}{cure}") from error
