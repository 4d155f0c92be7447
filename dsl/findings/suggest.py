"""Did you mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Final, TypeVar

T = TypeVar("T")

MOST_COMPARED: Final = 10_000
"""Words that are compared for one file: where more would have to be, nothing is suggested any more."""

CUTOFF: Final = 0.6
CLOSE: Final = 0.8
_LONGEST: Final = 60

_NAMES: Final[dict[str | None, str]] = {
    "add": "sum plus",
    "attention": "multiheadattention multiheadselfattention selfattention mha mhsa msa",
    "avg_pool": "averagepool averagepooling averagepooling2d avgpool1d avgpool2d",
    "batch": "batchsize metabatch metabatchsize",
    "bn": "batchnorm batchnorm1d batchnorm2d batchnormalization norm",
    "chain": "sequential",
    "channels": "filters outchannels outplanes planes cout width",
    "concat": "cat concatenate",
    "conv": "conv1d conv2d convolution convolution2d",
    "dil_conv": "dilatedconv dilconv2d",
    "dw_conv": "depthwise depthwiseconv depthwiseconv2d dwconv2d",
    "dropout": "dropout1d dropout2d",
    "features": "units outfeatures dim",
    "flops": "flop",
    "global_avg_pool": "adaptiveavgpool adaptiveavgpool2d globalaveragepool globalaveragepooling2d gap",
    "gn": "groupnorm groupnormalization",
    "heads": "numheads nheads nhead",
    "hswish": "hardswish hsigmoid",
    "iterations": "epochs numepochs episodes maxsteps trainsteps",
    "kernel": "kernelsize kernelshape ksize k",
    "linear": "dense fc fullyconnected",
    "ln": "layernorm layernormalization",
    "lr": "learningrate innerlr",
    "macs": "madds multadds",
    "max_pool": "maxpooling maxpooling2d maxpool1d maxpool2d",
    "mul": "multiply hadamard hadamardproduct",
    "none": "zero zeroize zeros",
    "params": "parameters numparams nparams",
    "population": "popsize populationsize",
    "pos_embed": "positionalencoding positionalembedding positionembedding posembedding posenc",
    "query": "nquery kquery queries",
    "random": "randomsearch",
    "res_block": "basicblock residualblock resblock",
    "sep_conv": "separableconv separableconv2d sepconv2d",
    "shot": "kshot nshot nsupport ksupport",
    "skip": "identity skipconnect skipconnection noop",
    "source": "dataset data",
    "swish": "silu",
    "token": "clstoken",
    "transpose": "permute swapaxes swapdims",
    "upsample": "upsampling upsampling2d interpolate resize upsamplingnearest2d upsamplingbilinear2d",
    "way": "nway kway nclasses numclasses",
    None: "activation padding loss objective optimizer",
}
_LAYERS: Final = """
    bmm chunk convtranspose deconv einsum elu embedding embeddingbag fold gather gru instancenorm leakyrelu logsoftmax
    lstm matmul mean mish pad pixelshuffle prelu rearrange reshape rnn rrelu selu softmax softplus split squeeze stack
    topk unbind unfold unsqueeze unstack view
"""
LAYERS: Final = frozenset(_LAYERS.split())
"""Layers of other frameworks that are like none here."""

ELSEWHERE: Final = {
    **dict.fromkeys(LAYERS),
    **{word: ours for ours, words in _NAMES.items() for word in words.split()},
}
"""What other frameworks call what is here, in small letters without `_`; None where nothing here is like it."""


_left: Final = ContextVar[int | None]("left", default=None)


def compared(make: Callable[[], T], most: int) -> tuple[T, int]:
    """What `make` gives where at most so many words may be compared, and how many were."""
    before = _left.set(most)
    try:
        made = make()
        return made, most - (_left.get() or 0)
    finally:
        _left.reset(before)


def _may_compare(count: int) -> bool:
    """Whether so many words may still be compared."""
    left = _left.get()
    if left is None:
        return True
    _left.set(max(0, left - count))
    return count <= left


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` was most likely meant to be; None if none is like it.

    Upper and lower case matter only between two that are equally near. What has another name in other frameworks
    is found by that.
    """
    if not word or len(word) > _LONGEST or _left.get() == 0:
        return None
    words = list(words)
    if not _may_compare(len(words)):
        return None
    scored = [(_likeness(word, other), other) for other in words if other]
    score, best = max(scored, key=lambda s: s[0], default=((0.0, 0.0), None))
    foreign = plain(word)
    if score[0] < CLOSE and foreign in ELSEWHERE:
        ours = ELSEWHERE[foreign]
        return ours if ours in words else None
    return best if score[0] >= CUTOFF else None


def plain(word: str) -> str:
    """A name as `ELSEWHERE` has it: in small letters, without `_` and, where that is not known, how many dimensions."""
    small = word.casefold().replace("_", "")
    return small if small in ELSEWHERE else re.sub("[123]d$", "", small)


def _likeness(word: str, other: str) -> tuple[float, float]:
    from difflib import SequenceMatcher  # not needed where all is well

    matcher = SequenceMatcher(a=word.casefold(), b=other.casefold(), autojunk=False)
    if matcher.real_quick_ratio() < CUTOFF:
        return 0.0, 0.0
    return matcher.ratio(), SequenceMatcher(a=word, b=other, autojunk=False).ratio()
