"""The language for Pygments, which finds it through its entry point: Sphinx, MkDocs, LaTeX's minted, `pygmentize`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, default, include
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Whitespace, _TokenType

from atnas.dsl.plugins import entries

NAME = r"[^\W\d]\w*"
BLANK = r"[ \t\r\n]+"


class AtnasLexer(RegexLexer):
    """The tokens of an .atnas file. What the language does not have, such as a single quote, is an Error."""

    name = "atnas"
    aliases: ClassVar[list[str]] = ["atnas"]
    filenames: ClassVar[list[str]] = ["*.atnas"]
    mimetypes: ClassVar[list[str]] = ["text/x-atnas"]
    priority = 0.1

    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            include("blank"),
            (rf"(op|cell)({BLANK})({NAME})", bygroups(Keyword.Declaration, Whitespace, Name.Function)),
            (
                rf"(space|tasks|train|search|experiment)({BLANK})({NAME})",
                bygroups(Keyword.Declaration, Whitespace, Name.Class),
            ),
            (r"use\b", Keyword.Namespace, "path"),
            (r"(extern|op|cell)\b", Keyword.Declaration),
            (r"(require|maximize|minimize)\b", Keyword),
            (r"(of|step|for|in|if|and)\b", Operator.Word),
            (r"(true|false)\b", Keyword.Constant),
            (rf"{NAME}(?=[ \t\r\n]*(=(?!=)|~))", Name.Attribute),
            (r"(space|tasks|train|search|experiment)\b", Keyword.Declaration),
            (rf"(->)({BLANK})?({NAME})\b(?![ \t\r\n]*[:{{])", bygroups(Operator, Whitespace, Name.Function)),
            (rf"{NAME}(?=[ \t\r\n]*\()", Name.Function),
            (NAME, Name),
            (rf"(:)({BLANK})?({NAME})", bygroups(Punctuation, Whitespace, Keyword.Type)),
            (r'"[^"\n]*"', String),
            (r"([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(%(?![\w(])|\w+)?", bygroups(Number, Keyword.Type)),
            (r"->|\.\.|[=!<>]=|[|=+\-*/%<>~]", Operator),
            (r"[()\[\]{},:.]", Punctuation),
        ],
        "blank": [
            (BLANK, Whitespace),
            (r"##[^\n]*", String.Doc),
            (r"#[^\n]*", Comment.Single),
        ],
        "path": [
            include("blank"),
            (rf"{NAME}(\.{NAME})*(?=[ \t\r\n]*\()", Name.Namespace, "#pop"),
            default("#pop"),
        ],
    }

    def get_tokens_unprocessed(
        self, text: str, stack: Iterable[str] = ("root",)
    ) -> Iterator[tuple[int, _TokenType, str]]:
        """Index, kind and text of each token; operators that are installed are Name.Builtin."""
        installed = entries("ops")
        for index, kind, value in super().get_tokens_unprocessed(text, stack):
            standard = kind in (Name, Name.Function) and value in installed
            yield index, Name.Builtin if standard else kind, value
