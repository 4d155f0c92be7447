"""Optimizers that touch only what was used.

`torch.optim` steps whole tensors. Here an element of a parameter that no path used in a step keeps its value
and its state: no momentum carries it on, no weight decay pulls at it, and its bias correction counts its
own uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from atnas.runtime.learn.average import Average
from atnas.runtime.learn.settings import Adam, Sgd

State = dict[str, Tensor]
"""One parameter's averages, each of its shape, and `steps`, int64: one number or, once only a part of it was
used, one for each element."""


class OuterOptimizer:
    """Adam or SGD over named parameters, changed in place. State begins at a parameter's first use.

    `beside` are parameters that are no weights, such as learning rates: no weight decay pulls at them.
    """

    def __init__(
        self, settings: Adam | Sgd, parameters: Mapping[str, Tensor], beside: Mapping[str, Tensor] | None = None
    ) -> None:
        self.parameters = {**parameters, **(beside or {})}
        self._settings = settings
        self._free = replace(settings, weight_decay=0.0)
        self._beside = frozenset(beside or {})
        self._states: dict[str, State] = {}

    @torch.no_grad()
    def step(self, averages: Mapping[str, Average], lr: float) -> None:
        """One step along each gradient, shaped as its parameter; parameters without one stay as they are."""
        for name, average in averages.items():
            parameter = self.parameters[name]
            if name not in self._states:
                self._states[name] = _fresh(self._settings, parameter)
            settings = self._free if name in self._beside else self._settings
            _step(settings, parameter, average, self._states[name], lr)

    def state_dict(self) -> dict[str, Tensor]:
        """`<parameter>.<slot>` to tensor: what `load_state_dict` takes, fit for safetensors."""
        states = self._states.items()
        return {f"{name}.{slot}": tensor for name, state in states for slot, tensor in state.items()}

    def load_state_dict(self, tensors: Mapping[str, Tensor]) -> None:
        """Replaces the state by a copy. Raises ValueError where it does not fit parameters or settings."""
        found: dict[str, State] = {}
        for key, tensor in tensors.items():
            name, _, slot = key.rpartition(".")
            if name not in self.parameters:
                raise ValueError(f"the optimizer's state has `{name}`, no parameter of this supernet")
            home = _home(slot, tensor, self.parameters[name])
            found.setdefault(name, {})[slot] = tensor.to(home, copy=True)
        for name, state in found.items():
            _verify(name, state, self._settings, self.parameters[name])
        self._states = found


def _fresh(settings: Adam | Sgd, parameter: Tensor) -> State:
    state = {"steps": torch.zeros((), dtype=torch.int64)}
    for slot in _slots(settings):
        state[slot] = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
    return state


def _slots(settings: Adam | Sgd) -> tuple[str, ...]:
    if isinstance(settings, Adam):
        return ("exp_avg", "exp_avg_sq")
    return ("momentum_buffer",) if settings.momentum else ()


def _home(slot: str, tensor: Tensor, parameter: Tensor) -> torch.device:
    """A single step count stays on the CPU, where reading it does not wait for the device."""
    return torch.device("cpu") if slot == "steps" and tensor.dim() == 0 else parameter.device


def _verify(name: str, state: State, settings: Adam | Sgd, parameter: Tensor) -> None:
    fresh = _fresh(settings, parameter)
    fits = state.keys() == fresh.keys() and all(
        tensor.dtype == fresh[slot].dtype and tensor.shape in (fresh[slot].shape, parameter.shape)
        for slot, tensor in state.items()
    )
    if not fits or bool((state["steps"] < 0).any()):
        raise ValueError(f"the optimizer's state of `{name}` is of another optimizer or another supernet")


def _step(settings: Adam | Sgd, parameter: Tensor, average: Average, state: State, lr: float) -> None:
    """Gathers the used elements, updates them as if they were the whole parameter, and puts them back."""
    used = average.used
    if used is None:
        _update(settings, parameter, average.gradient, state, lr)
        return
    if state["steps"].dim() == 0:
        state["steps"] = state["steps"].to(parameter.device).expand(parameter.shape).clone()
    part = {slot: tensor[used] for slot, tensor in state.items()}
    values = parameter[used]
    _update(settings, values, average.gradient[used], part, lr)
    parameter[used] = values
    for slot, tensor in part.items():
        state[slot][used] = tensor


def _update(settings: Adam | Sgd, values: Tensor, gradient: Tensor, state: State, lr: float) -> None:
    """Operation by operation what `torch.optim` does, so that results are equal to the last bit."""
    state["steps"] += 1
    if settings.weight_decay:
        gradient = gradient.add(values, alpha=settings.weight_decay)
    if isinstance(settings, Adam):
        _adam(settings, values, gradient, state, lr)
    elif settings.momentum:
        values.add_(state["momentum_buffer"].mul_(settings.momentum).add_(gradient), alpha=-lr)
    else:
        values.add_(gradient, alpha=-lr)


def _adam(settings: Adam, values: Tensor, gradient: Tensor, state: State, lr: float) -> None:
    """Kingma and Ba 2015, algorithm 1."""
    first, second = settings.betas
    mean = state["exp_avg"].lerp_(gradient, 1 - first)
    square = state["exp_avg_sq"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
    size = lr / _correction(first, state["steps"], values.dtype)
    root = square.sqrt() / _correction(second, state["steps"], values.dtype) ** 0.5
    values.add_(-size * mean / (root + settings.eps))


def _correction(decay: float, steps: Tensor, dtype: torch.dtype) -> float | Tensor:
    """1 - decay^t, in double precision whatever the weights are in: one number, or one for each element."""
    if steps.dim() == 0:
        return 1.0 - decay ** int(steps)
    return (1.0 - decay ** steps.double()).to(dtype)
