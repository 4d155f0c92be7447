"""What an editor asks: each request with the file of this room that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from lsprotocol import types

from atnas.dsl.errors import Unable
from atnas.dsl.source import Source
from atnas.editor.actions import actions
from atnas.editor.complete import complete
from atnas.editor.connection import Connection, Refusal
from atnas.editor.convert import path_of
from atnas.editor.formatting import formatting
from atnas.editor.help import signature_help
from atnas.editor.hints import hints
from atnas.editor.hover import hover
from atnas.editor.navigate import definition, highlights, references
from atnas.editor.rename import renamable, rename
from atnas.editor.symbols import folds, outline
from atnas.editor.tokens import KINDS, MODIFIERS, tokens
from atnas.editor.workspace import Checked

TRIGGERS: Final = ("(", ",", "=", "~", "|", ".", '"', "/")
MOST_SYMBOLS: Final = 500


class Feature(NamedTuple):
    """A method of the protocol, what answers it, and what is said of it when the editor connects."""

    method: str
    answer: Callable[[Connection, Any], Any]
    options: Any = None


# With a check


async def told(ls: Connection, params: types.HoverParams) -> types.Hover | None:
    def work(checked: Checked) -> types.Hover | None:
        offset = ls.offset(checked.source, params.position)
        found = hover(checked, offset, checked.facts, checked.findings(checked.source.path))
        return None if found is None else ls.wire.hover(found)

    return await ls.over(params.text_document, work)


async def hinted(ls: Connection, params: types.InlayHintParams) -> list[types.InlayHint]:
    def work(checked: Checked) -> list[types.InlayHint]:
        source = checked.source
        start, end = (ls.offset(source, position) for position in (params.range.start, params.range.end))
        found = hints(checked.module.program, checked.facts.places, start, end)
        return [ls.wire.hint(source, hint) for hint in found]

    return await ls.over(params.text_document, work)


async def mended(ls: Connection, params: types.CodeActionParams) -> list[types.CodeAction]:
    def work(checked: Checked) -> list[types.CodeAction]:
        start, end = (ls.offset(checked.source, p) for p in (params.range.start, params.range.end))
        found = actions(checked.findings(checked.source.path), start, end)
        return [ls.wire.action(action) for action in found]

    only = params.context.only
    if only and not any(types.CodeActionKind.QuickFix.value.startswith(kind) for kind in only):
        return []
    return await ls.over(params.text_document, work)


# By reading alone


def defined(ls: Connection, params: types.DefinitionParams) -> types.Location | None:
    view = ls.view(params.text_document)
    span = definition(ls.files, view, ls.offset(view.source, params.position))
    return None if span is None else ls.wire.location(span)


def referred(ls: Connection, params: types.ReferenceParams) -> list[types.Location]:
    view = ls.view(params.text_document)
    found = references(ls.files, view, ls.offset(view.source, params.position))
    wanted = (o for o in found if params.context.include_declaration or not o.defines)
    return [ls.wire.location(o.span) for o in wanted]


def highlighted(ls: Connection, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
    view = ls.view(params.text_document)
    found = highlights(view, ls.offset(view.source, params.position))
    kinds = {True: types.DocumentHighlightKind.Write, False: types.DocumentHighlightKind.Read}
    return [types.DocumentHighlight(ls.wire.range(o.span), kinds[o.defines]) for o in found]


def renaming(ls: Connection, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
    view = ls.view(params.text_document)
    try:
        span = renamable(view, ls.offset(view.source, params.position))
    except Unable as error:
        raise Refusal(str(error)) from None
    return None if span is None else types.PrepareRenamePlaceholder(ls.wire.range(span), span.text)


def renamed(ls: Connection, params: types.RenameParams) -> types.WorkspaceEdit:
    view = ls.view(params.text_document)
    try:
        edits = rename(ls.files, view, ls.offset(view.source, params.position), params.new_name)
    except Unable as error:
        raise Refusal(str(error)) from None
    return ls.wire.edit(edits)


def completed(ls: Connection, params: types.CompletionParams) -> types.CompletionList:
    view = ls.view(params.text_document)
    found = complete(ls.files, view, ls.offset(view.source, params.position))
    return types.CompletionList(is_incomplete=False, items=[ls.wire.completion(p, i) for i, p in enumerate(found)])


def helped(ls: Connection, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
    view = ls.view(params.text_document)
    found = signature_help(view, ls.offset(view.source, params.position))
    return None if found is None else ls.wire.signature(found)


def outlined(ls: Connection, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    return [ls.wire.symbol(s) for s in outline(ls.view(params.text_document).module.program)]


def sought(ls: Connection, params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
    """The declarations of all files whose names hold what is asked for."""
    found: list[types.WorkspaceSymbol] = []
    for view in ls.files.mentioning(params.query):
        wanted = (s for s in outline(view.module.program) if params.query.lower() in s.name.lower())
        found += [ls.wire.workspace_symbol(symbol) for symbol in wanted]
        if len(found) >= MOST_SYMBOLS:
            break
    return found[:MOST_SYMBOLS]


def folded(ls: Connection, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    return [ls.wire.fold(f) for f in folds(ls.view(params.text_document).module.program)]


def coloured(ls: Connection, params: types.SemanticTokensParams) -> types.SemanticTokens:
    view = ls.view(params.text_document)
    return ls.wire.tokens(view.source, tokens(view.index))


def formatted(ls: Connection, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    path = path_of(params.text_document.uri)
    edits = formatting(Source(path, ls.files.text(path)))
    return None if edits is None else [ls.wire.text_edit(edit) for edit in edits]


FEATURES: Final = (
    Feature(types.TEXT_DOCUMENT_HOVER, told),
    Feature(types.TEXT_DOCUMENT_INLAY_HINT, hinted),
    Feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        mended,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    ),
    Feature(types.TEXT_DOCUMENT_DEFINITION, defined),
    Feature(types.TEXT_DOCUMENT_REFERENCES, referred),
    Feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, highlighted),
    Feature(types.TEXT_DOCUMENT_PREPARE_RENAME, renaming),
    Feature(types.TEXT_DOCUMENT_RENAME, renamed, types.RenameOptions(prepare_provider=True)),
    Feature(types.TEXT_DOCUMENT_COMPLETION, completed, types.CompletionOptions(trigger_characters=TRIGGERS)),
    Feature(types.TEXT_DOCUMENT_SIGNATURE_HELP, helped, types.SignatureHelpOptions(trigger_characters=("(", ","))),
    Feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, outlined),
    Feature(types.WORKSPACE_SYMBOL, sought),
    Feature(types.TEXT_DOCUMENT_FOLDING_RANGE, folded),
    Feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, coloured, types.SemanticTokensLegend(KINDS, MODIFIERS)),
    Feature(types.TEXT_DOCUMENT_FORMATTING, formatted),
)
