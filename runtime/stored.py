"""What the documents of a run hold: whoever reads them may rely on it, though a folder may come from a stranger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, model_validator

Figure = float | None
Count = Annotated[int, Field(ge=0, le=10**15)]
Size = Annotated[int, Field(ge=0, le=10**300)]
Architecture = dict[str, bool | int | float | str | list[int]]

DIGITS: Final = 4_000
"""Of a number of architectures that is written as text."""


class Stored(BaseModel):
    """A document. Entries that it does not know stay."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class Heritage(Stored):
    """Where a run has the weights from that it began with."""

    origin: str = Field(alias="from")


class About(Stored):
    """run.json"""

    format: Count
    experiment: str
    seed: int
    device: str
    atnas: str
    iterations: Count = 0
    goals: dict[str, Literal["maximize", "minimize"]] = {}
    inherited: Heritage | None = None


class Row(Stored):
    """How an architecture, or the mean of several, did."""

    score: Figure
    ci95: Figure
    params: Size
    macs: Size
    latency: dict[str, float] = {}


class Difference(Stored):
    """Between what was found and a control, on the same tasks."""

    mean: Figure
    ci95: Figure


class Control(Row):
    """What the found architecture is held against."""

    count: Count
    difference: Difference


class Protocol(Stored):
    """What figures must share to stand in one table."""

    tasks: Count
    seed: int
    learner: str


class Trained(Stored):
    """What meta-training took."""

    iterations: Count
    tasks: Count
    seconds: float


class Searched(Stored):
    """What the search took."""

    trials: Count
    failed: Count
    seconds: float


class Result(Row):
    """result.json"""

    experiment: str
    space: str
    architectures: Annotated[str, StringConstraints(pattern=r"^[0-9]+$", max_length=DIGITS)]
    architecture: Architecture
    measure: Literal["accuracy", "loss"]
    controls: dict[str, Control]
    protocol: Protocol
    training: Trained
    search: Searched
    test_seconds: float
    memory_mib: Count | None = None


class Tested(Stored):
    """An architecture with its score on every test task."""

    architecture: Architecture
    scores: list[Figure]


class Tests(RootModel[dict[str, list[Tested]]]):
    """test.json: by `found` and the names of controls."""

    @model_validator(mode="after")
    def _same_tasks(self) -> Tests:
        if any(len({len(one.scores) for one in each}) > 1 for each in self.root.values()):
            raise ValueError("not all were asked the same tasks")
        return self


class Side(Stored):
    """How many tasks go side by side."""

    tasks: Annotated[int, Field(ge=1, le=10**6)]
    apart: bool


class Batching(Stored):
    """batching.json"""

    training: Side
    scoring: Side


class Event(Stored):
    """A line of metrics.jsonl"""

    step: Count
    loss: Figure = None
    accuracy: Figure = None
    train_accuracy: Figure = None
    tasks_per_second: Figure = None
    left_out: Count = 0


class Checkpoint(Stored):
    """What a checkpoint of all that training goes on from says of itself."""

    step: Count
    best_score: Figure
    spent: float
    held: Count = 0
    lost: Count = 0
    trials: Count = 0


class Best(Stored):
    """What the best weights by validation say of themselves."""

    step: Count
    score: Figure


class Inherited(Heritage):
    """What weights say of themselves that a run began with."""

    numbers: Count
    of_numbers: Count


DOCUMENTS: Final[Mapping[str, type[BaseModel]]] = {
    "run.json": About,
    "result.json": Result,
    "test.json": Tests,
    "batching.json": Batching,
}


def checked(kind: type[BaseModel], document: Mapping[str, Any]) -> None:
    """Raises ValueError where a document does not hold what one of its kind holds."""
    kind.model_validate(document)
