"""Findings as SARIF 2.1.0, which code scanning reads."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from atnas import __version__
from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Severity
from atnas.dsl.findings.explain import Explanation, explanations
from atnas.dsl.findings.render import in_order
from atnas.dsl.source import Span

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT: Final = "SRCROOT"
LONGEST: Final = 1_000
"""Characters of a line that count in a fingerprint."""

FINGERPRINT: Final = "atnas/v1"


def sarif(findings: Iterable[Diagnostic], root: PurePath, unread: Sequence[str] = ()) -> dict[str, Any]:
    """The log of one run in the working folder `root`. `unread` are the sentences on what could not be checked.

    Lines and columns count from 1, columns in code points. Files below `root` are named relative to it.
    """
    ordered = in_order(findings)
    rules = sorted({*explanations(), *(f.code for f in ordered)})
    prints = _fingerprints(ordered)
    run = {
        "tool": {"driver": {"name": "atnas", "version": __version__, "rules": [_rule(code) for code in rules]}},
        "invocations": [_invocation(unread)],
        "originalUriBaseIds": {ROOT: {"uri": f"{root.as_uri().rstrip('/')}/"}},
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "results": [
            {**_result(f, root), "ruleIndex": rules.index(f.code), "partialFingerprints": {FINGERPRINT: print_}}
            for f, print_ in zip(ordered, prints, strict=True)
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


# Rules


def _rule(code: str) -> dict[str, Any]:
    level: Severity = "warning" if code.startswith("W") else "error"
    rule: dict[str, Any] = {"id": code, "defaultConfiguration": {"level": level}}
    explained = explanations().get(code)
    if explained is None:
        return rule
    return {
        **rule,
        "name": _identifier(explained.title),
        "shortDescription": {"text": explained.title},
        "fullDescription": {"text": explained.text},
        "help": {"text": _help(explained, "{}"), "markdown": _help(explained, "```\n{}\n```")},
    }


def _identifier(title: str) -> str:
    """The words of a title as one: `NameThatDoesNotExist`."""
    words = re.findall(r"\w+", title.removeprefix("A ").removeprefix("An "))
    return "".join(word[0].upper() + word[1:] for word in words)


def _help(explained: Explanation, block: str) -> str:
    parts = [explained.text]
    for words, example in (("Wrong:", explained.fails), ("Right:", explained.cured)):
        if example:
            parts += [words, block.replace("{}", example.rstrip())]
    return "\n\n".join(parts)


def _invocation(unread: Sequence[str]) -> dict[str, Any]:
    notes = [{"level": "error", "message": _message(sentence)} for sentence in unread]
    told = {"toolExecutionNotifications": notes} if notes else {}
    return {"executionSuccessful": not notes, **told}


# Results


def _result(f: Diagnostic, root: PurePath) -> dict[str, Any]:
    notes = (f"{word}: {note}" for word, note in (("When", f.when), ("Help", f.help)) if note)
    found: dict[str, Any] = {
        "ruleId": f.code,
        "level": f.severity,
        "message": _message("\n".join([f.message, *notes])),
        "locations": [_location(f.span, root, f.inner)],
    }
    if f.labels:
        found["relatedLocations"] = [
            {"id": n, **_location(label.span, root, label.message)} for n, label in enumerate(f.labels, 1)
        ]
    if f.fix:
        about = {"description": _message(f.help)} if f.help else {}
        found["fixes"] = [{**about, "artifactChanges": list(_changes(f.fix, root))}]
    return found


def _message(text: str) -> dict[str, str]:
    """Braces in a message would be places for arguments."""
    return {"text": text.replace("{", "{{").replace("}", "}}")}


def _location(span: Span, root: PurePath, message: str = "") -> dict[str, Any]:
    place = {"artifactLocation": _artifact(span.source.path, root), "region": _region(span)}
    return {"physicalLocation": place, **({"message": _message(message)} if message else {})}


def _region(span: Span) -> dict[str, int]:
    (line, column), (end_line, end_column) = map(span.source.position, (span.start, span.end))
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _artifact(path: str, root: PurePath) -> dict[str, Any]:
    """Where a file is: relative to the working folder where it lies in it. What is on no disk has only a name."""
    if path.startswith("<"):
        words = "standard input" if path == "<stdin>" else f"{path.strip('<>')} of the standard library"
        return {"description": _message(words)}
    whole = type(root)(posixpath.normpath((root / path).as_posix()))
    if whole.is_relative_to(root):
        return {"uri": quote(whole.relative_to(root).as_posix(), errors="surrogateescape"), "uriBaseId": ROOT}
    return {"uri": whole.as_uri()}


def _changes(fix: Sequence[Edit], root: PurePath) -> Iterator[dict[str, Any]]:
    """The edits, file by file."""
    for path, edits in groupby(fix, lambda edit: edit.span.source.path):
        replacements = [{"deletedRegion": _region(e.span), "insertedContent": {"text": e.text}} for e in edits]
        yield {"artifactLocation": _artifact(path, root), "replacements": replacements}


def _fingerprints(findings: Sequence[Diagnostic]) -> Iterator[str]:
    """For each finding what tells it apart though the file is edited elsewhere: its code, its line and which it is."""
    seen: Counter[tuple[str, str, str]] = Counter()
    lines: dict[tuple[str, int], str] = {}
    for f in findings:
        path, number = f.span.source.path, f.span.source.position(f.span.start).line
        if (path, number) not in lines:
            lines[path, number] = " ".join(f.span.source.line(number)[:LONGEST].split())
        line = lines[path, number]
        seen[path, f.code, line] += 1
        yield sha256(f"{f.code}\0{line}\0{seen[path, f.code, line]}".encode()).hexdigest()[:32]
