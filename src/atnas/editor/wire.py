"""The editor's protocol: what this room finds, as the types of lsprotocol. Places are in the client's units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from lsprotocol import types

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.lint.unused import CODES as UNUSED
from atnas.dsl.source import Source, Span
from atnas.editor.actions import Action, message
from atnas.editor.convert import Encoding, Lines, Place
from atnas.editor.help import Help
from atnas.editor.hints import Hint
from atnas.editor.hover import Hover
from atnas.editor.proposals import Proposal
from atnas.editor.symbols import Fold, Symbol
from atnas.editor.tokens import KINDS, MODIFIERS, Token
from atnas.editor.workspace import Workspace, library

SEVERITIES: Final = {"error": types.DiagnosticSeverity.Error, "warning": types.DiagnosticSeverity.Warning}

SYMBOLS: Final = {
    "op": types.SymbolKind.Function,
    "cell": types.SymbolKind.Class,
    "extern op": types.SymbolKind.Interface,
    "space": types.SymbolKind.Module,
    "binding": types.SymbolKind.Variable,
    "setting": types.SymbolKind.Property,
}

COMPLETIONS: Final = {
    "operator": types.CompletionItemKind.Function,
    "layer": types.CompletionItemKind.Method,
    "settings": types.CompletionItemKind.Module,
    "name": types.CompletionItemKind.Variable,
    "parameter": types.CompletionItemKind.Property,
    "part": types.CompletionItemKind.Class,
    "word": types.CompletionItemKind.EnumMember,
    "keyword": types.CompletionItemKind.Keyword,
    "metric": types.CompletionItemKind.Constant,
    "library": types.CompletionItemKind.File,
}


@lru_cache(maxsize=64)
def lines(text: str, encoding: Encoding) -> Lines:
    return Lines(text, encoding)


class Wire:
    """Translates for one client: its encoding of columns, and whether it shows Markdown."""

    def __init__(self, workspace: Workspace, encoding: Encoding = "utf-16", markdown: bool = True) -> None:
        self._workspace = workspace
        self._encoding = encoding
        self._markdown = types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText

    # Places

    def offset(self, source: Source, position: types.Position) -> int:
        return lines(source.text, self._encoding).offset(Place(position.line, position.character))

    def range(self, span: Span) -> types.Range:
        start, end = lines(span.source.text, self._encoding).ends(span)
        return types.Range(types.Position(*start), types.Position(*end))

    def position(self, source: Source, offset: int) -> types.Position:
        return types.Position(*lines(source.text, self._encoding).place(offset))

    def location(self, span: Span) -> types.Location:
        return types.Location(self._workspace.uri(span.source.path), self.range(span))

    # Findings and edits

    def diagnostic(self, finding: Diagnostic) -> types.Diagnostic:
        related = [
            types.DiagnosticRelatedInformation(self.location(label.span), label.message)
            for label in finding.labels
            if label.message and library(label.span.source.path) is None
        ]
        return types.Diagnostic(
            range=self.range(finding.span),
            message=message(finding),
            severity=SEVERITIES[finding.severity],
            code=finding.code,
            source="atnas",
            related_information=related or None,
            tags=[types.DiagnosticTag.Unnecessary] if finding.code in UNUSED else None,
        )

    def edit(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        changes: dict[str, list[types.TextEdit]] = defaultdict(list)
        for edit in edits:
            changes[self._workspace.uri(edit.span.source.path)].append(self.text_edit(edit))
        return types.WorkspaceEdit(changes=dict(changes))

    def text_edit(self, edit: Edit) -> types.TextEdit:
        return types.TextEdit(self.range(edit.span), edit.text)

    def action(self, action: Action) -> types.CodeAction:
        return types.CodeAction(
            title=action.title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self.diagnostic(action.finding)],
            is_preferred=True,
            edit=self.edit(action.edits),
        )

    # What is shown

    def markup(self, text: str) -> types.MarkupContent:
        return types.MarkupContent(self._markdown, text)

    def hover(self, found: Hover) -> types.Hover:
        return types.Hover(self.markup(found.markdown), self.range(found.span))

    def hint(self, source: Source, hint: Hint) -> types.InlayHint:
        return types.InlayHint(
            position=self.position(source, hint.offset),
            label=hint.text,
            kind=types.InlayHintKind.Type,
            tooltip=hint.tip,
            padding_left=True,
        )

    def completion(self, proposal: Proposal, place: int) -> types.CompletionItem:
        return types.CompletionItem(
            label=proposal.label,
            kind=COMPLETIONS[proposal.kind],
            detail=proposal.detail or None,
            documentation=self.markup(proposal.doc) if proposal.doc else None,
            insert_text=proposal.insert or None,
            sort_text=f"{place:04}",
        )

    def symbol(self, symbol: Symbol) -> types.DocumentSymbol:
        return types.DocumentSymbol(
            name=symbol.name,
            kind=SYMBOLS.get(symbol.kind, types.SymbolKind.Object),
            range=self.range(symbol.span),
            selection_range=self.range(symbol.selection),
            detail=symbol.detail,
            children=[self.symbol(child) for child in symbol.children],
        )

    def workspace_symbol(self, symbol: Symbol) -> types.WorkspaceSymbol:
        kind = SYMBOLS.get(symbol.kind, types.SymbolKind.Object)
        return types.WorkspaceSymbol(self.location(symbol.selection), symbol.name, kind)

    def signature(self, found: Help) -> types.SignatureHelp:
        made = found.signature
        parameters = []
        start = len(made.head) + 1
        for parameter in made.parameters:
            end = start + len(parameter.label)
            told = self.markup(parameter.doc) if parameter.doc else None
            parameters.append(types.ParameterInformation((start, end), told))
            start = end + len(", ")
        doc = self.markup(made.doc) if made.doc else None
        active = found.active if found.active is not None else len(parameters)
        return types.SignatureHelp([types.SignatureInformation(made.label, doc, parameters, active)], 0, active)

    @staticmethod
    def fold(fold: Fold) -> types.FoldingRange:
        return types.FoldingRange(fold.first - 1, fold.last - 1, kind=types.FoldingRangeKind(fold.kind))

    def tokens(self, source: Source, found: Sequence[Token]) -> types.SemanticTokens:
        """Five numbers a word: lines and columns from the word before, length, kind, modifiers."""
        data: list[int] = []
        line = column = 0
        for token in found:
            start, end = lines(source.text, self._encoding).ends(token.span)
            data += [start.line - line, start.column - (column if start.line == line else 0), end.column - start.column]
            data += [KINDS.index(token.kind), sum(1 << MODIFIERS.index(m) for m in token.modifiers)]
            line, column = start
        return types.SemanticTokens(data=data)
