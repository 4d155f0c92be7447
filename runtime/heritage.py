"""Weights that a run begins with, since an earlier one learned them, on the same space or on another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from atnas.dsl.errors import Unable
from atnas.runtime.artifact import plan_of
from atnas.runtime.files import told
from atnas.runtime.folder import RunFolder
from atnas.runtime.program import Plan
from atnas.runtime.records import Json
from atnas.runtime.seeds import derive
from atnas.runtime.training import INHERITED

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Heritage:
    """The state of a new supernet in which what an earlier run learned stands, and what is to be known of it."""

    state: Mapping[str, Tensor]
    origin: Mapping[str, Json]

    @property
    def about(self) -> dict[str, Json]:
        """What run.json says of it."""
        return {"inherited": dict(self.origin)}

    def leave(self, folder: RunFolder) -> None:
        """Writes it where a run that begins finds it."""
        with told(folder.root):
            folder.checkpoints.mkdir(parents=True, exist_ok=True)
        folder.save(INHERITED, self.state, self.origin)


def heritage(earlier: RunFolder, plan: Plan) -> Heritage:
    """What a run of `plan` can begin with of an earlier run: its best weights by validation.

    Raises `Unable` where that run has none, or none that carry over.
    """
    from atnas.compiler.carry import carried, carry
    from atnas.compiler.space import compile
    from atnas.compiler.supernet import Supernet
    from atnas.runtime.meaning import digest

    old = plan_of(earlier.artifact())
    weights, _ = earlier.load("best")
    space = compile(plan.narrowed)
    state = Supernet(space.net, space.encoding, derive(plan.settings.seed, "weights")).state_dict()
    if not all(tensor.isfinite().all() for tensor in weights.values()):
        raise Unable(f"the best weights of {earlier.root} are not all finite numbers: nothing can begin with them")
    amount = carry(old.net, plan.net, weights)
    if not amount.numbers:
        raise Unable(f"nothing that {earlier.root} learned carries over to `{plan.net.name}`: no layer is the same")
    origin = {"from": str(earlier.root), "digest": digest(old), **asdict(amount)}
    return Heritage(carried(old.net, plan.net, weights, state), origin)
