"""One architecture as plain torch: a `torch.fx.GraphModule` of torch's own layers, independent of atnas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from keyword import iskeyword
from typing import Any

from torch import Tensor, fx, nn

RESERVED = {*dir(fx.GraphModule), "training"}


def extract(network: nn.Module, state: Mapping[str, Tensor]) -> fx.GraphModule:
    """A network with these numbers as one flat module in evaluation mode: torch's layers under readable
    names.

    `state` holds every parameter and buffer; it becomes the module's own. Layers that are not torch's are
    traced down to those that are; tracing raises `torch.fx.proxy.TraceError` where one looks at the values of
    a tensor.
    """
    network.load_state_dict(state, assign=True)
    graph = fx.Tracer().trace(network)
    things: dict[str, Any] = {**dict(network.named_modules()), **network.state_dict(keep_vars=True)}
    used = [node for node in graph.nodes if node.op in ("call_module", "get_attr")]
    names = identifiers(node.target for node in used)
    root = {names[node.target]: things[node.target] for node in used}
    for node in used:
        node.target = names[node.target]
    graph.owning_module = None
    return fx.GraphModule(root, graph).eval()


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """A Python name of its own for each name: `logits/dag[0].conv` is `logits_dag_0_conv`."""
    given: dict[str, str] = {}
    for name in dict.fromkeys(names):
        word = re.sub(r"\W+", "_", name).strip("_")
        if not word.isidentifier() or iskeyword(word) or word in RESERVED:
            word = f"layer_{word}"
        given[name] = _unused(word, set(given.values()))
    return given


def _unused(word: str, taken: set[str]) -> str:
    free, count = word, 1
    while free in taken:
        count += 1
        free = f"{word}_{count}"
    return free
