"""The language server: every notification and request of the protocol with what answers it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, BinaryIO

from atnas.dsl.errors import Unable
from atnas.dsl.modules import Reader
from atnas.editor.connection import Connection, Refusal
from atnas.editor.documents import DOCUMENTS
from atnas.editor.features import FEATURES

log = logging.getLogger(__name__)


def serve(read: Reader, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers an editor until it leaves, and closes `answers`. `read` gives the texts of files."""
    connection = Connection(read)
    for method, noted in DOCUMENTS.items():
        connection.feature(method)(calm(noted))
    for feature in FEATURES:
        connection.feature(feature.method, feature.options)(calm(feature.answer))
    try:
        connection.start_io(requests, answers)
    finally:
        connection.checking.stop()


def calm(answer: Callable[..., Any]) -> Callable[..., Any]:
    """What goes wrong in an answer is logged, and null is the answer: an editor goes on."""

    @wraps(answer)
    async def later(*arguments: Any) -> Any:
        try:
            return await answer(*arguments)
        except Exception as error:
            return _failed(answer, error)

    @wraps(answer)
    def now(*arguments: Any) -> Any:
        try:
            return answer(*arguments)
        except Exception as error:
            return _failed(answer, error)

    return later if inspect.iscoroutinefunction(answer) else now


def _failed(answer: Callable[..., Any], error: Exception) -> None:
    if isinstance(error, Refusal):
        raise error
    if not isinstance(error, Unable):
        log.error("in %s", answer.__name__, exc_info=error)
