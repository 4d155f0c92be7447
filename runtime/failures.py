"""What may go wrong with one architecture, and why it did in one line."""

from __future__ import annotations

from typing import Final

from atnas.dsl.errors import Unable

WIDEST: Final = 300
"""Characters that are kept of a reason."""


class Failed(Exception):
    """Why work failed, in one line."""


class TooLong(BaseException):
    """A time limit has passed. Nobody's layer swallows it with its own exceptions."""


class Unfit(Unable):
    """Tasks do not go with an architecture."""


class WorkerLost(Unable):
    """A worker process has ended."""


class WorkerError(Exception):
    """What a worker process raised: why in one line, and the traceback from there."""

    def __init__(self, why: str, trace: str) -> None:
        super().__init__(why, trace)
        self.why, self.trace = why, trace

    def __str__(self) -> str:
        return self.trace


def reason(error: BaseException) -> str:
    """One line: the kind of the error, where its words do not say all, and its words."""
    if isinstance(error, WorkerError):
        return error.why
    words = (
        " ".join(str(error).split()).encode(errors="backslashreplace").decode()
    )  # names of files may be halves of letters
    plain = isinstance(error, TooLong | Unable | Failed)
    return (words if plain and words else f"{type(error).__name__}: {words}")[:WIDEST]


def free() -> None:
    """Gives back what a GPU held for work that failed."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
