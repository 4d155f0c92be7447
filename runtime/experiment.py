"""What `train`, `search` and `experiment` hold. The descriptions of the fields are their documentation."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from atnas.dsl.settings import Extension, Ref, Reference, Settings, Variants, rule, setting
from atnas.dsl.syntax import ast
from atnas.runtime.learn.settings import Adam, Outer
from atnas.runtime.learn.trainer import Norm, Trainer
from atnas.runtime.search.searcher import Goal, Searcher

Per = Annotated[
    Literal["task", "batch", "inner_step"],
    setting(
        doc="task: each task of a meta step goes along a path of its own; batch: all along one; inner_step: each "
        "inner step of a task, and its queries"
    ),
]


class UniformPaths(Settings):
    """Paths drawn uniformly over the architectures of the space (SPOS, Guo et al. 2020, section 3.2)."""

    kind: ClassVar[Literal["uniform"]] = "uniform"
    over: Literal["architectures", "decisions"] = setting(
        "architectures",
        doc="architectures: each as likely as any other; decisions: each option of a decision as likely as the others",
    )
    per: Per = "task"


class FairPaths(Settings):
    """Paths in which every option of a decision comes as often: once in as many tasks as there are options (FairNAS,
    Chu et al., ICCV 2021, algorithm 1).
    """

    kind: ClassVar[Literal["fair"]] = "fair"
    per: ClassVar[Literal["task"]] = "task"


class SandwichPaths(Settings):
    """The largest architecture, the smallest, and uniform ones for the other tasks (Yu and Huang, ICCV 2019).

    Largest and smallest are by parameters.
    """

    kind: ClassVar[Literal["sandwich"]] = "sandwich"
    per: ClassVar[Literal["task"]] = "task"


class PopulationPaths(Settings):
    """Paths drawn from the population of an interleaved search; uniform until there is one."""

    kind: ClassVar[Literal["population"]] = "population"
    per: Per = "task"


Paths = Annotated[
    UniformPaths | FairPaths | SandwichPaths | PopulationPaths,
    Variants(uniform=UniformPaths, fair=FairPaths, sandwich=SandwichPaths, population=PopulationPaths),
]


class Train(Settings):
    """How the supernet's weights are learned over the tasks."""

    learner: Annotated[Trainer, Extension("trainers")] = setting(doc="how weights adapt to a task")
    norm: Norm = setting(
        "transductive",
        doc="whose statistics batch norm uses for queries: all queries, support, running",
    )
    outer: Outer = setting(Adam(), doc="optimizer of the meta steps")
    batch: int = setting(16, ge=1, doc="tasks in a meta step")
    iterations: int = setting(ge=1, doc="meta steps")
    together: int | None = setting(
        None, ge=1, doc="tasks that go along one path side by side; measured where a run is long, if not given"
    )
    paths: Paths = setting(UniformPaths(), doc="which architectures the meta steps train")
    validation: int = setting(100, ge=1, doc="validation tasks that choose the best state")
    validate_every: int | None = setting(
        None, ge=1, doc="meta steps between validations; a twentieth of `iterations` if not given"
    )

    @staticmethod
    @rule("paths")
    def _paths_suit(paths: Paths, learner: Trainer | None = None) -> None:
        if learner and paths.per == "inner_step" and learner.passes is None:
            raise ValueError(
                "a path for each inner step is for maml that adapts all weights by `inner = sgd(..)` without momentum"
            )

    @property
    def every(self) -> int:
        """Meta steps between two validations."""
        return self.validate_every or max(1, self.iterations // 20)


class After(Settings):
    """All generations after training."""

    kind: ClassVar[Literal["after"]] = "after"


class Interleaved(Settings):
    """A generation before meta step `warmup` and one each `every` from there on; the rest after training.

    `narrow`: successive halving (Jamieson and Talwalkar, AISTATS 2016) of the last population, while training goes on.
    """

    kind: ClassVar[Literal["interleaved"]] = "interleaved"
    positional: ClassVar[tuple[str, ...]] = ("warmup", "every")
    warmup: int = setting(ge=0, doc="meta steps before the first generation")
    every: int = setting(ge=1, doc="meta steps from one generation to the next")
    narrow: bool = setting(
        False,
        doc="after the last generation the population is scored again each `every` steps and its worse half dropped, "
        "until one is left",
    )

    def step(self, generation: int) -> int:
        """The meta step that a generation, counted from 0, comes before."""
        return self.warmup + generation * self.every

    def generation(self, step: int) -> int | None:
        """The generation that comes before a meta step, None where there is none."""
        done, between = divmod(step - self.warmup, self.every)
        return done if done >= 0 and between == 0 else None


Schedule = Annotated[After | Interleaved, Variants(after=After, interleaved=Interleaved)]


class Search(Settings):
    """How architectures are searched."""

    algorithm: Annotated[Searcher, Extension("searchers")] = setting(doc="what proposes architectures")
    schedule: Schedule = setting(After(), doc="when generations are evaluated")
    finalists: int = setting(5, ge=1, doc="architectures compared once more with the final weights")
    final_tasks: int = setting(200, ge=2, doc="fresh validation tasks that the finalists are compared on")
    seconds: float = setting(3600.0, gt=0, finite=True, doc="that an evaluation may take; else it has failed")
    goals: tuple[Goal, ...] = setting(min_length=1, doc="`maximize` and `minimize` lines, the primary first")
    constraints: tuple[ast.Require, ...] = setting((), doc="`require` lines: all of them hold")

    @staticmethod
    @rule("goals")
    def _distinct(goals: tuple[Goal, ...]) -> None:
        names = [goal.objective.name for goal in goals]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"`{twice}` is the objective of two goals")


class Experiment(Settings):
    """A space, tasks, train and search under one name: what `atnas run` runs."""

    space: Annotated[Ref, Reference("space", arguments=True)] = setting(doc="the space, with its arguments")
    tasks: Annotated[str, Reference("tasks")] = setting(doc="the tasks to learn from and be judged on")
    train: Annotated[str, Reference("train")] = setting(doc="how the weights are learned")
    search: Annotated[str | None, Reference("search")] = setting(
        None, doc="how architectures are searched; not needed where the space has no decisions"
    )
    seed: int = setting(0, ge=0, doc="what all random numbers are derived from")
    test_tasks: int = setting(600, ge=2, doc="test tasks that the answer is judged on")
    random_controls: int = setting(10, ge=1, doc="random architectures of the space that the answer is compared with")
