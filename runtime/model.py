"""A model: a network adapted to a task, in a folder that needs nothing but itself.

`model.json` what it is; `weights.safetensors` its numbers; `program.atnasc` the space that it is of; `README.md` its
card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from atnas.compiler.encoding import Genotype
from atnas.compiler.export.graphs import Signature, signature
from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Weights, unfilled
from atnas.dsl.cases import at
from atnas.dsl.errors import Unable
from atnas.runtime.artifact import open_artifact, plan_of
from atnas.runtime.files import content, told, write
from atnas.runtime.records import Json, document_of, record_of
from atnas.runtime.tasks.images import readable
from atnas.runtime.tensors import load_tensors, save_tensors

if TYPE_CHECKING:
    from atnas.runtime.program import Plan

VERSION: Final = 2
ABOUT: Final = "model.json"
WEIGHTS: Final = "weights.safetensors"
PROGRAM: Final = "program.atnasc"
CARD: Final = "README.md"

LARGEST: Final = 1_000_000
"""Bytes of a description that are read."""

PORTION: Final = 64
"""Images that go through a network at once."""


def is_model(folder: Path) -> bool:
    """Whether a folder is one of a model."""
    return (folder / ABOUT).is_file()


@dataclass(frozen=True)
class Prediction:
    """What an image shows: the label that is most probable, and the probability of each."""

    file: str
    label: str
    probabilities: Mapping[str, float]

    @property
    def probability(self) -> float:
        """Of the label."""
        return self.probabilities[self.label]


@dataclass(frozen=True)
class Classifier:
    """A network that tells images of the classes `labels` apart, each by itself.

    C channels, H height. `mean` and `std` scale images whose numbers go from 0 to 1, one for each channel.
    """

    about: Mapping[str, Json]
    labels: tuple[str, ...]
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    plan: Plan
    space: Compiled
    genotype: Genotype
    module: nn.Module
    state: Weights

    @property
    def signature(self) -> Signature:
        """The input and the output of the space."""
        return signature(self.space.net)

    @cached_property
    def network(self) -> nn.Module:
        """The plain network with its numbers, in evaluation mode."""
        self.module.load_state_dict(self.state, assign=True)
        return self.module.eval()

    def predict(self, files: Iterable[Path], skipped: Callable[[str], None] | None = None) -> list[Prediction]:
        """What images in files show. `skipped` hears why one cannot be read, which is then left out.

        Raises `Unable` where one cannot be read and nobody hears of it.
        """
        channels, size, _ = self.shape
        read, pixels = readable(files, size, channels, skipped)
        found = self.probabilities(torch.from_numpy(pixels)).tolist()
        return [
            Prediction(str(file), self.labels[best], dict(zip(self.labels, shares, strict=True)))
            for file, shares in zip(read, found, strict=True)
            for best in [max(range(len(shares)), key=shares.__getitem__)]
        ]

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """Of each image [N, C, H, H], numbers from 0 to 255, the probability of each label: [N, labels]."""
        mean, std = (torch.tensor(numbers).view(-1, 1, 1) for numbers in (self.mean, self.std))
        scaled = (images.float() / 255 - mean) / std
        found = [self.network(part)[:, : len(self.labels)].softmax(-1) for part in torch.split(scaled, PORTION)]
        return torch.cat(found) if found else torch.empty(0, len(self.labels))


def save_model(folder: Path, program: bytes, about: Mapping[str, Json], state: Weights, card: str) -> None:
    """Writes a model; `model.json` comes last and makes it one. Raises `Unable` where the disk refuses."""
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write(folder / PROGRAM, program)
    save_tensors(folder / WEIGHTS, state, {})
    write(folder / CARD, card.encode())
    write(folder / ABOUT, document_of({"version": VERSION, **about}).encode())


def open_model(folder: Path) -> Classifier:
    """The model in a folder. Raises `Unable` where there is none, or it is damaged. Nothing in it is executed."""
    about = _about(folder)
    plan = plan_of(open_artifact(content(folder / PROGRAM), str(folder / PROGRAM)))
    space = compile(plan.narrowed)
    state, _ = load_tensors(folder / WEIGHTS, sealed=True)
    try:
        genotype = space.encoding.encode(about["architecture"])
        images = about["images"]
        labels = tuple(map(str, about["labels"]))
        channels, height, width = map(int, images["shape"])
        mean, std = (tuple(map(float, images[name])) for name in ("mean", "std"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unable(f"{folder / ABOUT} does not describe a model of its program: {error}") from error
    if not all(map(isfinite, (*mean, *std))) or len({len(mean), len(std), channels}) > 1 or not all(std):
        raise Unable(f"{folder / ABOUT} does not say how its images are scaled")
    ((_, output),) = space.net.outputs
    shape = space.net.nodes[output].shape
    (answers, *_) = shape if isinstance(shape, tuple) else at(shape, genotype)
    if (channels, height, width) != signature(space.net).shape or not 1 <= len(labels) <= answers:
        raise Unable(f"{folder / ABOUT} describes other images or more labels than its program has")
    module = unfilled(space.net, genotype, running=True)
    if {n: t.shape for n, t in module.state_dict().items()} != {n: t.shape for n, t in state.items()}:
        raise Unable(f"{folder / WEIGHTS} holds the numbers of another network than {ABOUT} describes")
    return Classifier(about, labels, (channels, height, width), mean, std, plan, space, genotype, module, state)


def _about(folder: Path) -> dict[str, Any]:
    path = folder / ABOUT
    if not is_model(folder):
        raise Unable(f"{folder} holds no model; `atnas adapt` makes one")
    if path.stat().st_size > LARGEST:
        raise Unable(f"{path} is larger than any description of a model")
    try:
        found = record_of(content(path), sealed=False)
        version = found["version"]
    except (ValueError, KeyError) as error:
        raise Unable(f"{path} is damaged; adapt the run once more") from error
    if version == 1:
        raise Unable(f"{folder} is a model of an earlier atnas, which cannot stand alone: adapt its run once more")
    if version != VERSION:
        raise Unable(f"{folder} was written by a later atnas")
    try:
        return record_of(content(path), sealed=True)
    except ValueError as error:
        raise Unable(f"{path} is damaged; adapt the run once more") from error
