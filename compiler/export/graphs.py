"""One architecture as a file of torch.export or ONNX, for batches of any size."""

from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from atnas.dsl.errors import Unable
from atnas.dsl.net import InputNode, Net
from atnas.dsl.operator import Shape

EXAMPLES = 2
"""Examples that a network is traced with: torch takes a batch of one for a size that never changes."""

ABOUT = "atnas.json"


@dataclass(frozen=True)
class Signature:
    """The names of the input and the output, and the shape of the input for one example."""

    input: str
    output: str
    shape: Shape

    @property
    def example(self) -> Tensor:
        """A batch, [EXAMPLES, *shape]."""
        return torch.zeros(EXAMPLES, *self.shape)


def signature(net: Net) -> Signature:
    """Of a space of one input and one output."""
    (start,) = (node for node in net.nodes if isinstance(node, InputNode))
    ((output, _),) = net.outputs
    return Signature(start.name, output, start.shape)


def pt2(module: fx.GraphModule, signature: Signature, about: str) -> bytes:
    """A file for `torch.export.load`; `about` lies in it as atnas.json."""
    program = torch.export.export(module, (signature.example,), dynamic_shapes=({0: _batch()},))
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={ABOUT: about})
    return file.getvalue()


def run_pt2(file: bytes) -> Callable[[Tensor], Tensor]:
    """What is in such a file, as a function of batches."""
    module: Any = torch.export.load(io.BytesIO(file)).module()
    return lambda x: module(x)


def onnx(module: fx.GraphModule, signature: Signature, about: str) -> bytes:
    """An ONNX file; `about` is among its metadata. Raises `Unable` where what it takes is not installed."""
    _installed()
    with _quiet():
        program = torch.onnx.export(
            module,
            (signature.example,),
            dynamo=True,
            verbose=False,
            input_names=[signature.input],
            output_names=[signature.output],
            dynamic_shapes=({0: _batch()},),
        )
    assert program is not None
    model = program.model_proto
    model.metadata_props.add(key=ABOUT, value=about)
    return bytes(model.SerializeToString())


def run_onnx(file: bytes) -> Callable[[Tensor], Tensor]:
    """What is in such a file, as a function of batches."""
    _installed()
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (start,) = session.get_inputs()
    return lambda x: torch.from_numpy(session.run(None, {start.name: x.numpy()})[0])


def _batch() -> Any:
    return torch.export.Dim("batch", min=1)


def _installed() -> None:
    """Raises `Unable` where a library is missing. What it imports reports to nobody, unless the user wants it to."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError as error:
        raise Unable(f"{error.name} is missing, and ONNX takes it: pip install 'atnas[onnx]'") from error
    del onnx, onnxruntime, onnxscript


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch says of packages that it could use as well."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(before)
