"""The work of a run that can be shared out: meta-gradients and scores of tasks, some of them together.

Each piece is a function of the weights, an architecture and numbers of tasks, so it gives the same numbers wherever it
is done, and results are put together in the order of the asking: the number of workers changes nothing but the time.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import WeakKeyDictionary

import torch

from atnas.compiler.space import compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.errors import Unable
from atnas.runtime.artifact import open_artifact, plan_of
from atnas.runtime.device import held, keep_memory
from atnas.runtime.failures import Failed, Unfit, WorkerError, WorkerLost, free, reason
from atnas.runtime.learn.adapt import Score, evaluate
from atnas.runtime.learn.beside import Beside, ground
from atnas.runtime.learn.changing import changing
from atnas.runtime.learn.model import Forward, Model
from atnas.runtime.learn.plans import draws, grouped
from atnas.runtime.learn.trainer import MetaGradient
from atnas.runtime.processes import alone, cores, deaf
from atnas.runtime.seeds import derive
from atnas.runtime.tasks.stack import Stack, size_of, stack
from atnas.runtime.tasks.task import Split, Task

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from atnas.compiler.encoding import Genotype
    from atnas.compiler.path import Path
    from atnas.runtime.program import Plan


@dataclass(frozen=True)
class Which:
    """A task: number `index` of a split, in the stream of its purpose."""

    split: Split
    purpose: str
    index: int


Route = tuple["Genotype", ...]
"""The architecture that a task goes along, or those of each inner step and of its queries, in order."""

Job = tuple[Route, Which]


@dataclass(frozen=True)
class Grouping:
    """How many tasks are computed side by side, and whether their queries go one task after another all the same.

    Support rows are few; what several tasks hold at once of many queries no longer fits into a processor's caches.
    """

    tasks: int = 1
    apart: bool = False


ONE_BY_ONE: Final = Grouping()


@dataclass(frozen=True)
class Unit:
    """Tasks that go the same way together; `apart`: not their queries."""

    route: Route
    tasks: tuple[Which, ...]
    apart: bool = False

    @property
    def genotype(self) -> Genotype:
        """The architecture that answers the queries."""
        return self.route[-1]


def units(jobs: Sequence[Job], grouping: Grouping) -> list[Unit]:
    """Neighbours that go the same way together, at most so many."""
    most = grouping.tasks
    found: list[Unit] = []
    for route, same in groupby(jobs, key=lambda job: job[0]):
        tasks = [which for _, which in same]
        found += [Unit(route, tuple(tasks[i : i + most]), grouping.apart) for i in range(0, len(tasks), most)]
    return found


class Workers(Protocol):
    """Who does the work: so many at a time."""

    count: int

    def gradients(self, units: Sequence[Unit], progress: float) -> list[MetaGradient | Failed]:
        """The meta-gradient of each unit, or why it has none; `progress` is the share of meta-training that is done."""

    def scores(self, units: Sequence[Unit]) -> list[Score]:
        """The score of each task, one unit after another."""

    def ready(self) -> None:
        """Waits until work would begin at once."""

    def held(self) -> int:
        """The most bytes of memory that this process and those that work for it ever held; 0 where it is not known."""

    def restart(self) -> None:
        """Drops work in progress, and is ready for other work."""

    def close(self) -> None:
        """No more work."""


class Serial:
    """Does everything here and now."""

    count = 1

    def __init__(self, plan: Plan, supernet: Supernet, beside: Beside, device: torch.device) -> None:
        self.plan, self.supernet, self.beside, self.device = plan, supernet, beside, device
        self._forwards: WeakKeyDictionary[Path, Forward] = WeakKeyDictionary()

    def gradients(self, units: Sequence[Unit], progress: float) -> list[MetaGradient | Failed]:
        """One after another."""
        self._mode(training=True)
        return [self._tried(unit, progress) for unit in units]

    def scores(self, units: Sequence[Unit]) -> list[Score]:
        """One after another."""
        self._mode(training=False)
        with _rows():
            return [score for unit in units for score in self._scores(unit)]

    def ready(self) -> None:
        """It always does."""

    def held(self) -> int:
        """By this process, or on the GPU."""
        return torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else held()

    def restart(self) -> None:
        """There is none in progress."""

    def close(self) -> None:
        """Nothing is held."""

    def _tried(self, unit: Unit, progress: float) -> MetaGradient | Failed:
        """What an architecture raises is no fault of the others. What the environment refuses is raised."""
        try:
            with _rows():
                return self._gradient(unit, progress)
        except Unfit as error:
            return Failed(reason(error))
        except Unable:
            raise
        except Exception as error:
            free()
            return Failed(reason(error))

    def _gradient(self, unit: Unit, progress: float) -> MetaGradient:
        """Where layers draw numbers, what they draw is a function of the task: then each task goes alone."""
        learner, model = self.plan.train.learner, replace(self._along(unit.route), apart=unit.apart)
        if not any(draws(self.supernet.path(genotype)) for genotype in unit.route):
            return _together([learner.gradient(model, tasks, progress) for tasks in self._stacks(unit)])
        found = []
        for which in unit.tasks:
            torch.manual_seed(derive(self.plan.settings.seed, "dropout", which.index))
            found.append(learner.gradient(model, stack([self._task(which)]), progress))
        return _together(found)

    def _scores(self, unit: Unit) -> list[Score]:
        model = replace(self._model(unit.genotype), apart=unit.apart)
        return [score for tasks in self._stacks(unit) for score in evaluate(model, self.plan.train.learner, tasks)]

    def _along(self, route: Route) -> Model:
        if len(route) == 1:
            return self._model(route[0])
        paths = [self.supernet.path(genotype) for genotype in route]
        parameters = dict(self.supernet.named_parameters())
        return changing(paths, list(map(self._forward, paths)), parameters, self.plan.train.norm)

    def _model(self, genotype: Genotype) -> Model:
        path = self.supernet.path(genotype)
        beside = self.beside
        return Model(path, self._forward(path), self.plan.train.norm, path.weights(), beside.of(path), beside.classes)

    def _forward(self, path: Path) -> Forward:
        if path not in self._forwards:
            self._forwards[path] = grouped(path)
        return self._forwards[path]

    def _mode(self, training: bool) -> None:
        """Dropout and its like work while training only."""
        if self.supernet.training != training:
            self.supernet.train(training)

    def _stacks(self, unit: Unit) -> Iterator[Stack]:
        """The tasks of a unit, those of one size together, in order."""
        for _, same in groupby(map(self._task, unit.tasks), key=size_of):
            yield stack(list(same))

    def _task(self, which: Which) -> Task:
        seed = derive(self.plan.settings.seed, which.purpose)
        return self.plan.tasks.task(which.split, seed, which.index).to(self.device)


@contextmanager
def _rows() -> Iterator[None]:
    """Says what torch means where a batch norm has one number of a channel to go by."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise Unfit(
            "a batch norm has one number of each channel to go by: give tasks more shots, or minibatches more rows"
        ) from error


def _together(found: Sequence[MetaGradient]) -> MetaGradient:
    """Sums over all tasks."""
    if len(found) == 1:
        return found[0]
    sums: dict[str, torch.Tensor] = {}
    for name, gradient in (pair for each in found for pair in each.gradients.items()):
        sums[name] = sums[name] + gradient if name in sums else gradient
    accuracies = [each.accuracies for each in found if each.accuracies is not None]
    return MetaGradient(torch.cat([e.losses for e in found]), torch.cat(accuracies) if accuracies else None, sums)


class Pool:
    """Processes of one thread each that share the supernet's weights in memory; small networks gain most by them.

    Each reads the program anew from the artifact, so nothing but plain numbers goes between them.
    """

    def __init__(self, artifact: bytes, supernet: Supernet, beside: Beside, count: int) -> None:
        self.count = count
        shared = {name: tensor.share_memory_() for name, tensor in supernet.state_dict().items()}
        aside = {name: tensor.share_memory_() for name, tensor in beside.tensors.items()}  # type: ignore[no-untyped-call]
        self._given = (artifact, shared, aside)
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []
        self._start()

    def _start(self) -> None:
        self._begun = False
        context = multiprocessing.get_context("spawn")
        for _ in range(self.count):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, *self._given), daemon=True)
            with deaf(), alone():
                process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)

    def gradients(self, units: Sequence[Unit], progress: float) -> list[MetaGradient | Failed]:
        """Shared out in turn; the answers in the order of the units."""
        return [_whole(answer) for answer in self._done("gradients", units, progress)]

    def scores(self, units: Sequence[Unit]) -> list[Score]:
        """Shared out in turn; the answers in the order of the units."""
        return [Score(*pair) for of_unit in self._done("scores", units) for pair in of_unit]

    def ready(self) -> None:
        """Waits until all processes have begun."""
        if not self._begun:
            self._done("held", range(self.count))
            self._begun = True

    def held(self) -> int:
        """By all of them; what they share counts for each."""
        try:
            found: int = held() + sum(self._done("held", range(self.count)))
            return found
        except WorkerLost:  # that is for the next work to find out
            return held()

    def restart(self) -> None:
        """Other processes, with the same weights."""
        self.close()
        self._start()

    def close(self) -> None:
        """Ends the processes."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.kill()  # it holds nothing that is not held here
            process.join()
        self._pipes.clear()
        self._processes.clear()

    def _done(self, kind: str, units: Sequence[Any], *more: Any) -> list[Any]:
        count = len(self._pipes)
        try:
            for i, pipe in enumerate(self._pipes):
                pipe.send((kind, list(units[i::count]), *more))
            answers = [pipe.recv() for pipe in self._pipes]
        except (EOFError, ConnectionError) as error:
            raise WorkerLost("a worker process ended; was there enough memory? --workers 1 does without") from error
        failed = next((a for a in answers if isinstance(a, BaseException)), None)
        if failed is not None:
            raise failed
        return [answers[i % count][i // count] for i in range(len(units))]


def workers(
    artifact: bytes, plan: Plan, supernet: Supernet, beside: Beside, device: torch.device, count: int | None
) -> Serial | Pool:
    """`count` processes, or as many as there are cores; one does without processes.

    On a GPU one process keeps the device busy. Running averages of batch norms are moved by every task in order, which
    only one can do.
    """
    if device.type == "cpu":
        # One thread wherever the work is done: sums of floats then come out the same for any number of workers, and
        # small networks lose more by threads than they gain.
        torch.set_num_threads(1)
    if count is None:
        alone = device.type != "cpu" or plan.train.norm == "running"
        count = 1 if alone else min(cores(), plan.train.batch)
    if count > 1 and (device.type != "cpu" or plan.train.norm == "running"):
        raise Unable("--workers above 1 goes with the cpu and with norm = transductive or support only")
    return Serial(plan, supernet, beside, device) if count == 1 else Pool(artifact, supernet, beside, count)


def _serve(pipe: Connection, artifact: bytes, shared: dict[str, torch.Tensor], aside: dict[str, torch.Tensor]) -> None:
    """The life of a worker."""
    torch.set_num_threads(1)
    keep_memory()
    plan = plan_of(open_artifact(artifact, "the program"))
    space = compile(plan.narrowed)
    supernet = Supernet(space.net, space.encoding)
    supernet.load_state_dict(shared, assign=True)
    beside = Beside.begun(plan.train.learner, ground(supernet, plan.tasks, plan.settings.seed))
    beside.tensors = aside
    serial = Serial(plan, supernet, beside, torch.device("cpu"))
    while True:
        try:
            kind, *work = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(_plain(serial, kind, *work))
        except Exception as error:
            pipe.send(_portable(error))


def _portable(error: Exception) -> Exception:
    """The error as the main process is to raise it: a failed evaluation, a refusal, or a fault with its traceback."""
    for kind in (Unfit, Unable):
        if isinstance(error, kind):
            return kind(str(error))
    return WorkerError(reason(error), "".join(traceback.format_exception(error)))


def _plain(serial: Serial, kind: str, units: list[Unit], *progress: float) -> list[Any]:
    """Answers as plain numbers and arrays, which cost less to send than tensors."""
    if kind == "held":
        return [held() for _ in units]
    if kind == "scores":
        return [[(s.loss, s.accuracy) for s in serial.scores([unit])] for unit in units]
    return [
        g
        if isinstance(g, Failed)
        else (
            g.losses.numpy(),
            None if g.accuracies is None else g.accuracies.numpy(),
            {name: gradient.detach().contiguous().numpy() for name, gradient in g.gradients.items()},
        )
        for g in serial.gradients(units, *progress)
    ]


def _whole(answer: Any) -> MetaGradient | Failed:
    """What `_plain` made of it."""
    if isinstance(answer, Failed):
        return answer
    losses, accuracies, gradients = answer
    return MetaGradient(
        torch.from_numpy(losses),
        None if accuracies is None else torch.from_numpy(accuracies),
        {name: torch.from_numpy(array) for name, array in gradients.items()},
    )
