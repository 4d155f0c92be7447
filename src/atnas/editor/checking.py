"""Checks while somebody types: after a pause, on a thread of their own, the file in use first.

A check that has begun runs to its end, which the checker bounds; what it found is forgotten if the text is another by
then. Checks wait for one another, so there is at most one stale one to wait for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.lint.unused import without
from atnas.editor.workspace import Checked, Workspace

SHORTEST: Final = 0.02
LONGEST: Final = 0.2
"""Seconds without a change after which a check begins: as long as the last one took, but within these bounds."""

T = TypeVar("T")
Publish = Callable[[str, list[Diagnostic]], None]

log = logging.getLogger(__name__)


class Checking:
    """Keeps the findings of all open files, and of the files that use them, as they are now.

    `publish` is called, on the loop, with a path and its findings whenever they are others than before; `moved` where
    files were checked anew that nobody edited.
    """

    def __init__(self, workspace: Workspace, publish: Publish, moved: Callable[[], None]) -> None:
        self._workspace = workspace
        self._publish = publish
        self._moved = moved
        self._pause = SHORTEST
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="check")
        self._round: asyncio.Task[None] | None = None
        self._changed: dict[str, None] = {}
        self._checked: dict[str, Checked] = {}
        self._told: dict[str, list[Diagnostic]] = {}

    def changed(self, *paths: str) -> None:
        """Texts were opened, edited or closed: their findings, and those of their users, are due."""
        for path in paths:
            self._changed.pop(path, None)
        self._changed = dict.fromkeys(paths) | self._changed
        if self._round is not None:
            self._round.cancel()
        self._round = asyncio.ensure_future(self._rounds())

    async def over(self, path: str, work: Callable[[Checked], T]) -> T:
        """What work makes of a file checked as it is now. Raises `Unable` where there is none.

        It is done on the thread of the checks: what a check found moves when the next one begins.
        """
        return await self._aside(lambda: work(self._workspace.check(path)))

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def stop(self) -> None:
        """Starts nothing more."""
        if self._round is not None:
            self._round.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _rounds(self) -> None:
        await asyncio.sleep(self._pause)
        try:
            await self._all()
        except Exception:  # a fault of ours must not stop the editor's work
            log.exception("in a round of checks")

    async def _all(self) -> None:
        """Checks what changed, then what uses it."""
        documents = self._workspace.documents
        first = [path for path in self._changed if path in documents]
        for path in first:
            await self._check(path)
        roots = await self._aside(self._roots)
        others = [await self._check(path) for path in roots if path not in first]
        self._checked = {path: c for path, c in self._checked.items() if path in roots}
        self._changed.clear()
        self._tell()
        if any(others):
            self._moved()

    def _roots(self) -> list[str]:
        """The open files and all that use them."""
        found = self._workspace.users(list(self._workspace.documents))
        self._workspace.forget(found)
        return found

    async def _check(self, path: str) -> bool:
        """Whether a file is not as it was when it was checked before."""
        begun = time.monotonic()
        try:
            checked = await self.over(path, lambda checked: checked)
        except Unable:
            return self._checked.pop(path, None) is not None
        if self._checked.get(path) is checked:
            return False
        self._pause = min(LONGEST, max(SHORTEST, time.monotonic() - begun))
        self._checked[path] = checked
        self._tell()
        return True

    def _tell(self) -> None:
        """Publishes what is not as it was told before."""
        now = self._findings()
        for path in {**now, **self._told}:
            found = now.get(path, [])
            if found != self._told.get(path) and (found or path in self._told or path in self._checked):
                self._publish(path, found)
        self._told = now

    def _findings(self) -> dict[str, list[Diagnostic]]:
        """What was found in each file, by itself or where another uses it, each once.

        Of a file that is still to be checked anew, what was told before.
        """
        checks = self._checked.values()
        fresh = [c for c in checks if self._workspace.is_current(c.texts)]
        found = {c.source.path: [] if c in fresh else self._told.get(c.source.path, []) for c in checks}
        stale = {c.source.path for c in checks if c not in fresh}
        for finding in _once(f for checked in fresh for f in checked.found):
            if finding.span.source.path not in stale:
                found.setdefault(finding.span.source.path, []).append(finding)
        used = {pair for checked in fresh for pair in checked.program.used}
        return {path: without(findings, used) for path, findings in found.items()}


def _once(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    kept: dict[tuple[object, ...], Diagnostic] = {}
    for f in findings:
        kept.setdefault((f.code, f.span.source.path, f.span.start, f.span.end, f.message), f)
    return list(kept.values())
