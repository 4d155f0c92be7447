"""One editor that is connected: its documents, their checks, and how it is spoken to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from atnas import __version__
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.modules import Reader
from atnas.dsl.source import Source
from atnas.editor.checking import Checking
from atnas.editor.convert import path_of
from atnas.editor.wire import Wire
from atnas.editor.workspace import Checked, View, Workspace

REFUSED: Final = -32803
"""The protocol's code for what was understood and cannot be done."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Refusal(JsonRpcException):
    """A request that cannot be granted; the editor shows the sentence."""

    CODE = REFUSED


class Connection(LanguageServer):
    """`files` are its documents and folders, `wire` speaks its units, `checking` keeps its findings."""

    def __init__(self, read: Reader) -> None:
        super().__init__("atnas", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.files = Workspace(read)
        self.wire = Wire(self.files)
        self.checking = Checking(self.files, self._publish, self._moved)

    def view(self, document: types.TextDocumentIdentifier) -> View:
        """A document as reading it shows it. Raises `Unable`."""
        return self.files.view(path_of(document.uri))

    async def over(self, document: types.TextDocumentIdentifier, work: Callable[[Checked], T]) -> T:
        """What work makes of a document that is checked as a whole. Raises `Unable`."""
        return await self.checking.over(path_of(document.uri), work)

    def offset(self, source: Source, position: types.Position) -> int:
        return self.wire.offset(source, position)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Faults go to the log, not into the editor's window."""
        del source
        if not isinstance(error, Refusal):
            log.error("%s", error)

    def _publish(self, path: str, findings: list[Diagnostic]) -> None:
        document = self.files.documents.get(path)
        if path.startswith("<"):  # a file of the library: what is wrong there is not the user's to mend
            return
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri=self.files.uri(path),
                diagnostics=[self.wire.diagnostic(f) for f in findings],
                version=None if document is None else document.version,
            )
        )

    def _moved(self) -> None:
        """Shapes may be others in files that nobody touched: the editor asks for them anew."""
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)
