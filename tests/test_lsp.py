"""`atnas lsp` as an editor uses it: the real process over standard input and output, driven by a client."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities, make_test_lsp_client

ROOT = Path(__file__).parents[1]
SECONDS = 20
CURSOR = "<|>"

pytestmark = pytest.mark.asyncio(loop_scope="module")


def editor() -> LanguageClient:
    """A client that lets itself be asked to watch files and to draw hints anew."""
    client = make_test_lsp_client()
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _: None)
    client.feature(types.WORKSPACE_INLAY_HINT_REFRESH)(lambda _: None)
    return client


SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "atnas", "lsp"], client_factory=editor)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that the editor has open, with one file in it that is not open."""
    project = tmp_path_factory.mktemp("project")
    (project / "pyproject.toml").touch()
    (project / "blocks.atnas").write_text("## A block.\nop block(c) = conv(c, 3) -> bn | skip\n", encoding="utf-8")
    return project


@pytest_lsp.fixture(config=SERVER, scope="module")
async def client(lsp_client: LanguageClient, folder: Path) -> AsyncIterator[None]:
    params = types.InitializeParams(
        capabilities=client_capabilities("visual-studio-code"),
        workspace_folders=[types.WorkspaceFolder(folder.as_uri(), "project")],
    )
    await lsp_client.initialize_session(params)
    yield
    await lsp_client.shutdown_session()


@dataclass
class File:
    """A document that is open in the editor, and where its cursor stands."""

    client: LanguageClient
    uri: str
    text: str
    place: types.Position
    version: int = 1

    @property
    def document(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri)

    def edit(self, text: str) -> None:
        """Types, until the document reads so."""
        self.text, self.place = cursor(text)
        self.version += 1
        change = types.TextDocumentContentChangeWholeDocument(self.text)
        document = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def close(self) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.document))

    async def findings(self, wanted: Callable[[Sequence[types.Diagnostic]], bool] = bool) -> list[types.Diagnostic]:
        """The findings that the editor was told of, as soon as they are as wanted."""
        async with asyncio.timeout(SECONDS):
            while self.uri not in self.client.diagnostics or not wanted(self.client.diagnostics[self.uri]):
                await asyncio.sleep(0.01)
        return list(self.client.diagnostics[self.uri])

    def at(self, span: types.Range) -> str:
        """The text of a range."""
        return self.text[offset(self.text, span.start) : offset(self.text, span.end)]

    def applied(self, edits: Sequence[types.TextEdit]) -> str:
        """The text after edits."""
        text = self.text
        for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
            start, end = (offset(self.text, place) for place in (edit.range.start, edit.range.end))
            text = text[:start] + edit.new_text + text[end:]
        return text


def cursor(text: str) -> tuple[str, types.Position]:
    """A text without its cursor, and where it stood; at the beginning if there is none."""
    before, found, after = text.partition(CURSOR)
    lines = before.split("\n") if found else [""]
    return before + after, types.Position(len(lines) - 1, len(lines[-1].encode("utf-16-le")) // 2)


def offset(text: str, place: types.Position) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: place.line]) + place.character


numbers = count()


@pytest.fixture
def opens(client: LanguageClient, folder: Path) -> Callable[..., File]:
    """Opens a text, by default as a file of the project that is not saved yet."""

    def opened(text: str, uri: str | None = None) -> File:
        uri = uri or (folder / f"net{next(numbers)}.atnas").as_uri()
        text, place = cursor(text)
        item = types.TextDocumentItem(uri, "atnas", 1, text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return File(client, uri, text, place)

    return opened


Opens = Callable[..., File]

SPACE = """\
op unit(c, k = 3) = conv(c, k) -> bn

space net [x: (3, 32, 32)] -> y: (10) {
  width = 8 | 16
  a     = x -> unit(width) -> max_pool(2)
  y     = a -> flatten -> linear(10)
}
"""


# Findings


async def test_findings_come_while_somebody_types(opens: Opens) -> None:
    file = opens("op f(c) = convv(c, 3)\n")
    (found,) = await file.findings()
    assert (found.code, found.source, file.at(found.range)) == ("E101", "atnas", "convv")
    assert found.severity == types.DiagnosticSeverity.Error
    assert found.message.splitlines() == ["there is no `convv`", "help: did you mean `conv`?"]
    file.edit("op f(c) = conv(c, 3)\n")
    await file.findings(lambda found: not found)


async def test_a_finding_tells_when_and_what_else_explains_it(opens: Opens) -> None:
    text = SPACE.replace("a     = x -> unit(width) -> max_pool(2)", "a = x -> (skip | conv(3, 3, 2)) + x -> skip")
    file = opens(text)
    found = next(f for f in await file.findings() if f.code == "E301")
    assert "when a = conv(3, 3, 2)" in found.message.splitlines()
    assert found.related_information
    assert {file.at(label.location.range) for label in found.related_information} == {"x -> skip"}


async def test_what_is_never_used_is_shown_pale(opens: Opens) -> None:
    file = opens("op f(c, d) = conv(c, 3)\n")
    found = next(f for f in await file.findings() if f.code == "W102")
    assert file.at(found.range) == "d"
    assert found.severity == types.DiagnosticSeverity.Warning
    assert found.tags == (types.DiagnosticTag.Unnecessary,)


async def test_a_change_is_told_in_the_files_that_use_it(opens: Opens, folder: Path) -> None:
    blocks = opens("op block(c) = conv(c, 3)\n", (folder / "blocks.atnas").as_uri())
    user = opens('use "blocks.atnas" (block)\n\nspace s [x: (3, 8, 8)] -> y { y = x -> block(8) }\n')
    await user.findings(lambda found: not found)
    blocks.edit("op block(c, d) = conv(c, d)\n")
    (found,) = await user.findings()
    assert found.code == "E204"
    blocks.close()
    await user.findings(lambda found: not found)
    user.close()


async def test_a_text_that_is_no_file_has_findings_too(opens: Opens) -> None:
    file = opens('use "blocks.atnas" (block)\n', "untitled:Untitled-1")
    (found,) = await file.findings()
    assert found.code == "E105"
    assert "save this text as a file" in found.message


async def test_files_of_windows_have_findings_too(opens: Opens) -> None:
    file = opens("op f(c) = convv(c, 3)\n", "file:///c%3A/Users/me/my%20nets/a.atnas")
    assert [f.code for f in await file.findings()] == ["E101"]


async def test_columns_count_as_editors_count_them(opens: Opens) -> None:
    """In UTF-16, in which an emoji is two."""
    file = opens('use "\N{GRINNING FACE}.atnas" (mb)\n')
    (found,) = await file.findings()
    assert (found.range.start.character, found.range.end.character) == (4, 4 + len('"xx.atnas"'))


# Reading


async def hover(file: File) -> str:
    found = await file.client.text_document_hover_async(types.HoverParams(file.document, file.place))
    assert found is not None and isinstance(found.contents, types.MarkupContent)
    return found.contents.value


async def test_hover_over_a_declaration(opens: Opens) -> None:
    file = opens('use "blocks.atnas" (block)\n\nspace s [x: (3, 8, 8)] -> y { y = x -> bl<|>ock(8) }\n')
    said = await hover(file)
    assert "op block(c)" in said
    assert "A block." in said
    assert "shape `(3, 8, 8)`" not in said  # `block` may be `skip` with three channels or a convolution with eight
    assert "2 architectures of each use" in said


async def test_hover_over_an_operator_and_its_parameters(opens: Opens) -> None:
    said = await hover(opens("op f(c) = co<|>nv(c, kernel = 5)\n"))
    assert "conv(channels, kernel = 3" in said
    assert "A convolution" in said
    assert "- `kernel = 3`: window, an odd number (a whole number, elastic)" in said
    said = await hover(opens("op f(c) = conv(c, ker<|>nel = 5)\n"))
    assert "window, an odd number" in said


async def test_hover_over_a_setting_an_extension_and_its_fields(opens: Opens) -> None:
    text = "train t {\n  learner = maml(order = 1)\n  norm = support\n  iterations = 10\n}\n"
    assert "how weights adapt to a task" in await hover(opens(text.replace("learner", "lea<|>rner")))
    assert "MAML" in await hover(opens(text.replace("maml", "ma<|>ml")))
    assert "first-order approximation" in await hover(opens(text.replace("order", "or<|>der")))
    assert "one of the words that `norm` takes" in await hover(opens(text.replace("support", "sup<|>port")))


async def test_hover_over_a_tensor_tells_its_shapes(opens: Opens) -> None:
    assert "shape `(8, 16, 16)`, `(16, 16, 16)`" in await hover(opens(SPACE.replace("= a ->", "= a<|> ->")))
    assert "shape `(3, 32, 32)`" in await hover(opens(SPACE.replace("= x ->", "= x<|> ->")))


async def test_hover_counts_architectures(opens: Opens) -> None:
    assert "2 architectures" in await hover(opens(SPACE.replace("space net", "space n<|>et")))
    assert "2 options" in await hover(opens(SPACE.replace("width = ", "wi<|>dth = ")))


async def test_hover_over_a_finding_explains_its_code(opens: Opens) -> None:
    said = await hover(opens("op f(c) = con<|>vv(c, 3)\n"))
    assert said.startswith("**E101** ")


async def test_hover_over_nothing_says_nothing(opens: Opens) -> None:
    file = opens("# a <|>comment\n")
    assert await file.client.text_document_hover_async(types.HoverParams(file.document, file.place)) is None


async def test_shapes_stand_along_a_pipeline(opens: Opens) -> None:
    file = opens(SPACE)
    everything = types.Range(types.Position(0, 0), types.Position(99, 0))
    found = await file.client.text_document_inlay_hint_async(types.InlayHintParams(file.document, everything))
    assert found is not None
    lines = file.text.split("\n")
    shown = [(lines[h.position.line][: h.position.character].split()[-1], h.label) for h in found]
    assert shown == [
        ("k)", "(8|16, 32, 32)"),
        ("bn", "(8|16, 32, 32)"),
        ("unit(width)", "(8|16, 32, 32)"),
        ("max_pool(2)", "(8|16, 16, 16)"),
        ("flatten", "(2048|4096)"),
        ("linear(10)", "(10)"),
    ]


async def test_the_outline(opens: Opens) -> None:
    file = opens(SPACE)
    found = await file.client.text_document_document_symbol_async(types.DocumentSymbolParams(file.document))
    assert found is not None
    assert [(s.name, s.detail) for s in found] == [("unit", "op (c, k)"), ("net", "space")]
    children = found[1].children
    assert children is not None
    assert [child.name for child in children] == ["width", "a", "y"]
    assert file.at(found[1].selection_range) == "net"


async def test_declarations_of_all_files_are_found_by_name(opens: Opens) -> None:
    file = opens(SPACE.replace("unit", "rather_special"))
    found = await file.client.workspace_symbol_async(types.WorkspaceSymbolParams("special"))
    assert found is not None
    assert [s.name for s in found] == ["rather_special"]


async def test_what_can_be_folded(opens: Opens) -> None:
    file = opens("# a\n# b\nuse std.spaces (unit)\nuse std.conv4 (conv4)\n" + SPACE)
    found = await file.client.text_document_folding_range_async(types.FoldingRangeParams(file.document))
    assert found is not None
    assert [(f.start_line, f.end_line, f.kind) for f in found] == [
        (0, 1, "comment"),
        (2, 3, "imports"),
        (6, 10, "region"),
    ]


async def test_words_are_coloured_by_meaning(opens: Opens) -> None:
    file = opens("op f(c) = conv(c, 3)\n")
    params = types.SemanticTokensParams(file.document)
    found = await file.client.text_document_semantic_tokens_full_async(params)
    assert found is not None
    legend = ("namespace", "class", "function", "parameter")
    rows = [found.data[i : i + 5] for i in range(0, len(found.data), 5)]
    assert [(column, length, legend[kind]) for _, column, length, kind, _ in rows] == [
        (3, 1, "function"),
        (2, 1, "parameter"),
        (5, 4, "function"),
        (5, 1, "parameter"),
    ]


# Going about


async def places(file: File) -> list[types.Location]:
    params = types.ReferenceParams(types.ReferenceContext(include_declaration=True), file.document, file.place)
    return list(await file.client.text_document_references_async(params) or ())


async def definition(file: File) -> types.Location:
    found = await file.client.text_document_definition_async(types.DefinitionParams(file.document, file.place))
    assert isinstance(found, types.Location)
    return found


async def test_definition_in_the_same_file(opens: Opens) -> None:
    file = opens(SPACE.replace("-> unit", "-> un<|>it"))
    found = await definition(file)
    assert (found.uri, found.range.start) == (file.uri, types.Position(0, 3))


async def test_definition_in_another_file(opens: Opens, folder: Path) -> None:
    file = opens('use "blocks.atnas" (block)\n\nspace s [x: (3, 8, 8)] -> y { y = x -> bl<|>ock(8) }\n')
    found = await definition(file)
    assert (found.uri, found.range.start) == ((folder / "blocks.atnas").as_uri(), types.Position(1, 3))
    file.edit('use "blo<|>cks.atnas" (block)\n')
    assert (await definition(file)).uri == (folder / "blocks.atnas").as_uri()


async def test_definition_in_the_library(opens: Opens) -> None:
    file = opens("use std.spaces (conv_ce<|>lls)\n")
    found = await definition(file)
    assert Path(found.uri.removeprefix("file://")) == (ROOT / "grammars" / "std" / "spaces.atnas").resolve()


async def test_references_in_all_files(opens: Opens, folder: Path) -> None:
    file = opens('use "blocks.atnas" (bl<|>ock)\n\nspace s [x: (3, 8, 8)] -> y { y = x -> block(8) }\n')
    found = await places(file)
    here = [file.at(place.range) for place in found if place.uri == file.uri]
    assert here == ["block", "block"]
    assert (folder / "blocks.atnas").as_uri() in {place.uri for place in found}


async def test_the_word_under_the_cursor_is_marked_everywhere(opens: Opens) -> None:
    file = opens(SPACE.replace("width =", "wid<|>th ="))
    params = types.DocumentHighlightParams(file.document, file.place)
    found = await file.client.text_document_document_highlight_async(params)
    assert found is not None
    kinds = {(h.range.start.line, h.kind) for h in found}
    assert kinds == {(3, types.DocumentHighlightKind.Write), (4, types.DocumentHighlightKind.Read)}


async def renamed(file: File, name: str) -> types.WorkspaceEdit:
    found = await file.client.text_document_rename_async(types.RenameParams(file.document, file.place, name))
    assert found is not None
    return found


async def test_rename_a_binding(opens: Opens) -> None:
    file = opens(SPACE.replace("width =", "wid<|>th ="))
    found = await renamed(file, "channels")
    assert found.changes is not None
    assert file.applied(found.changes[file.uri]) == SPACE.replace("width", "channels")


async def test_rename_a_parameter_and_the_arguments_that_name_it(opens: Opens) -> None:
    text = SPACE.replace("unit(width)", "unit(width, k = 5)")
    file = opens(text.replace("k = 3", "k<|> = 3"))
    found = await renamed(file, "size")
    assert found.changes is not None
    new = file.applied(found.changes[file.uri])
    assert new == text.replace("k = 3", "size = 3").replace("(c, k)", "(c, size)").replace("k = 5", "size = 5")


async def test_rename_across_files(opens: Opens, folder: Path) -> None:
    file = opens('use "blocks.atnas" (block)\n\nspace s [x: (3, 8, 8)] -> y { y = x -> bl<|>ock(8) }\n')
    found = await renamed(file, "brick")
    assert found.changes is not None
    assert file.applied(found.changes[file.uri]) == file.text.replace("(block)", "(brick)").replace(
        "block(8", "brick(8"
    )
    (edit,) = found.changes[(folder / "blocks.atnas").as_uri()]
    assert (edit.range.start, edit.new_text) == (types.Position(1, 3), "brick")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("step", "`step` is a word of the language"),
        ("2nd", "`2nd` is no name"),
        ("conv", "`conv` is an operator"),
        ("a", "`net` has a `a` already"),
    ],
)
async def test_rename_refuses_what_would_not_be_the_same_program(opens: Opens, name: str, reason: str) -> None:
    file = opens(SPACE.replace("width =", "wid<|>th ="))
    with pytest.raises(JsonRpcException, match=reason):
        await renamed(file, name)


async def test_what_belongs_to_the_language_is_not_renamed(opens: Opens) -> None:
    file = opens("op f(c) = co<|>nv(c, 3)\n")
    with pytest.raises(JsonRpcException, match="belongs to the language"):
        await file.client.text_document_prepare_rename_async(types.PrepareRenameParams(file.document, file.place))


# Writing


async def proposals(file: File) -> dict[str, types.CompletionItem]:
    found = await file.client.text_document_completion_async(types.CompletionParams(file.document, file.place))
    assert isinstance(found, types.CompletionList)
    return {item.label: item for item in sorted(found.items, key=lambda item: item.sort_text or "")}


async def test_completion_of_layers_and_names(opens: Opens) -> None:
    found = await proposals(opens(SPACE.replace("a -> flatten", "a -> <|>")))
    assert {"unit", "conv", "width", "a", "x"} <= set(found)
    assert "y" not in found
    doc = found["conv"].documentation
    assert isinstance(doc, types.MarkupContent) and "A convolution" in doc.value


async def test_completion_of_parameters(opens: Opens) -> None:
    found = await proposals(opens("op f(c) = conv(<|>\n"))
    assert list(found)[:3] == ["channels", "kernel", "stride"]
    assert found["channels"].insert_text == "channels = "
    found = await proposals(opens("op f(c) = mbconv(c, 3, act = <|>)\n"))
    assert {"relu", "hswish"} <= set(list(found)[:5])


async def test_completion_in_settings(opens: Opens) -> None:
    assert {"source", "way"} <= set(await proposals(opens("tasks t {\n  <|>\n}\n")))
    assert "way" not in await proposals(opens("tasks t {\n  way = 5\n  <|>\n}\n"))
    assert {"glyphs", "omniglot"} <= set(await proposals(opens("tasks t {\n  source = <|>\n}\n")))
    assert next(iter(await proposals(opens("tasks t {\n  source = glyphs(<|>)\n}\n")))) == "size"
    assert list(await proposals(opens("train t {\n  norm = <|>\n}\n"))) == ["transductive", "support", "running"]
    assert "accuracy" in await proposals(opens("search t {\n  maximize <|>\n}\n"))
    assert list(await proposals(opens(SPACE + "experiment e {\n  space = <|>\n}\n"))) == ["net"]


async def test_completion_of_keywords_and_libraries(opens: Opens) -> None:
    assert {"op", "space", "use"} <= set(await proposals(opens("<|>")))
    assert "std.spaces" in await proposals(opens("use <|>"))
    assert "spaces" in await proposals(opens("use std.<|>"))
    assert "conv_cells" in await proposals(opens("use std.spaces (<|>)"))
    assert "block" in await proposals(opens('use "blocks.atnas" (<|>)'))


async def test_completion_of_files(opens: Opens) -> None:
    assert "blocks.atnas" in await proposals(opens('use "<|>" (block)'))
    assert "blocks.atnas" in await proposals(opens('use "blo<|>'))
    assert "blocks.atnas" not in await proposals(opens('use "more/<|>" (block)'))
    assert "blocks.atnas" in await proposals(opens('use "more/../<|>" (block)'))
    assert "blocks.atnas" not in await proposals(opens('extern op f(c: int) [x: (n)] -> (c) = "<|>"'))


async def test_the_signature_of_the_call_that_is_written(opens: Opens) -> None:
    file = opens("op f(c) = conv(c, <|>\n")
    found = await file.client.text_document_signature_help_async(types.SignatureHelpParams(file.document, file.place))
    assert found is not None
    (signature,) = found.signatures
    assert signature.label.startswith("conv(channels, kernel = 3")
    assert signature.parameters is not None and found.active_parameter is not None
    start, end = signature.parameters[found.active_parameter].label
    assert signature.label[int(start) : int(end)] == "kernel = 3"


async def test_formatting(opens: Opens) -> None:
    file = opens("op   f(c)=conv( c,3 )->bn\n")
    params = types.DocumentFormattingParams(file.document, types.FormattingOptions(2, True))
    edits = await file.client.text_document_formatting_async(params)
    assert edits is not None
    assert file.applied(edits) == "op f(c) = conv(c, 3) -> bn\n"
    file.edit("op f(c) = conv(c, 3 ->\n")
    assert await file.client.text_document_formatting_async(params) is None


async def test_a_cure_can_be_applied(opens: Opens) -> None:
    file = opens("op f(c) = convv(c, 3)\n")
    (finding,) = await file.findings()
    context = types.CodeActionContext([finding])
    params = types.CodeActionParams(file.document, finding.range, context)
    found = await file.client.text_document_code_action_async(params)
    assert found is not None
    (action,) = found
    assert isinstance(action, types.CodeAction)
    assert (action.title, action.kind) == ("Replace `convv` by `conv`", types.CodeActionKind.QuickFix)
    assert action.edit is not None and action.edit.changes is not None
    assert file.applied(action.edit.changes[file.uri]) == "op f(c) = conv(c, 3)\n"


# Alone


@pytest.mark.asyncio(loop_scope="function")
async def test_without_its_extra_it_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['pygls'] = None; from atnas.cli.main import guarded; sys.exit(guarded(['lsp']))"
    ended = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "atnas: the language server needs pygls: pip install 'atnas[lsp]'\n"
