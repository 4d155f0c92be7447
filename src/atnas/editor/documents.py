"""What an editor tells: that it is there, and that documents, files and folders come, go and change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from lsprotocol import types

from atnas.editor.connection import Connection
from atnas.editor.convert import Encoding, path_of, uri_of
from atnas.editor.wire import Wire

SOURCES: Final = "**/*.atnas"


def initialize(ls: Connection, params: types.InitializeParams) -> None:
    general, document = params.capabilities.general, params.capabilities.text_document
    offered = (general.position_encodings if general is not None else None) or ()
    known = ("utf-8", "utf-16", "utf-32")
    encoding = next((str(e.value if isinstance(e, types.PositionEncodingKind) else e) for e in offered), "utf-16")
    shown = None if document is None or document.hover is None else document.hover.content_format
    markdown = shown is None or types.MarkupKind.Markdown in shown
    ls.wire = Wire(ls.files, cast(Encoding, encoding if encoding in known else "utf-16"), markdown)
    folders = [folder.uri for folder in params.workspace_folders or ()]
    root = params.root_uri or (uri_of(params.root_path) if params.root_path else None)
    ls.files.folders(folders or ([root] if root else []))


def initialized(ls: Connection, params: types.InitializedParams) -> None:
    """Asks to be told of files that change on disk, where the editor can."""
    del params
    workspace = ls.client_capabilities.workspace
    watched = None if workspace is None else workspace.did_change_watched_files
    if watched is None or not watched.dynamic_registration:
        return
    options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(SOURCES)])
    watch = types.Registration("sources", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    ls.client_register_capability(types.RegistrationParams([watch]))


def opened(ls: Connection, params: types.DidOpenTextDocumentParams) -> None:
    document = params.text_document
    ls.checking.changed(ls.files.put(document.uri, document.text, document.version))


def edited(ls: Connection, params: types.DidChangeTextDocumentParams) -> None:
    document = params.text_document
    text = ls.workspace.get_text_document(document.uri).source
    ls.checking.changed(ls.files.put(document.uri, text, document.version))


def closed(ls: Connection, params: types.DidCloseTextDocumentParams) -> None:
    ls.checking.changed(ls.files.close(params.text_document.uri))


def saved(ls: Connection, params: types.DidSaveTextDocumentParams) -> None:
    ls.files.changed_on_disk()
    ls.checking.changed(path_of(params.text_document.uri))


def watched(ls: Connection, params: types.DidChangeWatchedFilesParams) -> None:
    ls.files.changed_on_disk()
    ls.checking.changed(*(path_of(change.uri) for change in params.changes))


def folders(ls: Connection, params: types.DidChangeWorkspaceFoldersParams) -> None:
    del params
    ls.files.folders(folder for folder in ls.workspace.folders)
    ls.checking.changed()


DOCUMENTS: Final[dict[str, Callable[[Connection, Any], None]]] = {
    types.INITIALIZE: initialize,
    types.INITIALIZED: initialized,
    types.TEXT_DOCUMENT_DID_OPEN: opened,
    types.TEXT_DOCUMENT_DID_CHANGE: edited,
    types.TEXT_DOCUMENT_DID_CLOSE: closed,
    types.TEXT_DOCUMENT_DID_SAVE: saved,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: watched,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: folders,
}
"""What the editor notifies of, with what is done then."""
