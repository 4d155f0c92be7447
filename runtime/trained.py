"""What a run has learned, opened again: its program, its space, its best weights and its trials."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from atnas.compiler.encoding import Genotype
from atnas.compiler.export.graphs import Signature, signature
from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.errors import Unable
from atnas.runtime.artifact import plan_of
from atnas.runtime.files import content
from atnas.runtime.folder import RunFolder
from atnas.runtime.learn.beside import Beside, ground
from atnas.runtime.program import Plan
from atnas.runtime.search.searcher import Trial, fitting
from atnas.runtime.seeds import derive
from atnas.runtime.training import INHERITED, beside_weights, network_weights, of_supernet


@dataclass(frozen=True)
class Trained:
    """A run whose supernet has learned. Its weights are the best by validation, those that its answer is about, but
    where it is opened as far as it has come.
    """

    folder: RunFolder
    plan: Plan
    space: Compiled
    supernet: Supernet
    trials: tuple[Trial, ...]
    beside: Beside

    @property
    def signature(self) -> Signature:
        """The input and the output of the space."""
        return signature(self.space.net)


def trained(root: Path) -> Trained:
    """The run in a folder. Raises `Unable` where there is none, or it has not learned yet."""
    folder, plan = _opened(root)
    if not folder.has("best"):
        raise Unable(f"{root} has no weights yet; `atnas run` goes on with it")
    return _trained(folder, plan, folder.load("best")[0])


def so_far(root: Path) -> Trained:
    """The run in a folder however far it has come: with its best weights, else its last, else those it began with.

    Raises `Unable` where there is none, or it is damaged.
    """
    folder, plan = _opened(root)
    if folder.has("best"):
        return _trained(folder, plan, folder.load("best")[0])
    last = folder.latest(len(folder.read_trials()))
    if last is None and folder.has(INHERITED):
        return _trained(folder, plan, folder.load(INHERITED)[0])
    return _trained(folder, plan, None if last is None else network_weights(last[0]))


def _opened(root: Path) -> tuple[RunFolder, Plan]:
    folder = RunFolder(root)
    if not folder.program.exists():
        raise Unable(f"{root} holds no run; name the folder that `atnas run` wrote")
    return folder, plan_of(folder.artifact())


def _trained(folder: RunFolder, plan: Plan, weights: Mapping[str, Tensor] | None) -> Trained:
    """With these weights, or with those that a run begins with."""
    space, goals = compile(plan.narrowed), plan.search.goals if plan.search else ()
    trials = tuple(fitting(folder.read_trials(), space.net.decisions, goals))
    supernet = Supernet(space.net, space.encoding, derive(plan.settings.seed, "weights"))
    if weights is None:
        beside = Beside.begun(plan.train.learner, ground(supernet, plan.tasks, plan.settings.seed))
        return Trained(folder, plan, space, supernet.eval(), trials, beside)
    try:
        supernet.load_state_dict(of_supernet(weights))
    except RuntimeError as error:
        raise Unable(f"the checkpoint is of another space: {str(error).splitlines()[0]}") from error
    beside = Beside(beside_weights(weights), dict(supernet.named_parameters()))
    return Trained(folder, plan, space, supernet.eval(), trials, beside)


def architecture(run: Trained, name: str) -> Genotype:
    """`best`, the number of a trial, the beginning of an identity among the trials, or an architecture as JSON.

    Raises `Unable` where it is none of the space, or several.
    """
    if name.startswith("{"):
        return _read(run, name, "the architecture")
    if name == "best":
        return _best(run)
    if name.isdecimal() and int(name) < len(run.trials):
        return run.trials[int(name)].genotype
    return _of_identity(run, name)


def _best(run: Trained) -> Genotype:
    """What the run found. Its result says so under a checksum; best.json, which has none, before there is a result."""
    result, best = run.folder.result, run.folder.root / "best.json"
    if result.exists():
        return _read(run, json.dumps(run.folder.read(result.name)["architecture"]), str(result))
    if not best.exists():
        raise Unable(f"{run.folder.root} has found nothing yet; `atnas run` goes on with it, or name a trial")
    return _read(run, content(best).decode(errors="replace"), str(best))


def _of_identity(run: Trained, name: str) -> Genotype:
    keys = {run.space.encoding.key(trial.genotype): trial.genotype for trial in run.trials}
    found = [genotype for key, genotype in keys.items() if key.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        raise Unable(f"{len(found)} architectures among the trials have identities that begin with `{name}`: give more")
    trials = f"trials are 0 to {len(run.trials) - 1}" if run.trials else "it has no trials"
    raise Unable(f"{run.folder.root} has no trial `{name}`: {trials}, and `best` is what the run found")


def _read(run: Trained, text: str, name: str) -> Genotype:
    try:
        return run.space.encoding.read(text)
    except ValueError as error:
        raise Unable(f"{name} {error}") from error
