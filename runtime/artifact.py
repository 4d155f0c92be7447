"""The compiled artifact: one JSON file with the sources of a program and what they mean. Nothing in it is executed.

Its bytes depend on the sources alone: not on where they lie, when or with what they were compiled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from atnas.dsl.errors import Unable
from atnas.dsl.modules import Reader, load
from atnas.dsl.net import Net
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program
from atnas.runtime.program import Plan, expression

FORMAT = 1
MARK = "atnas program"
SUFFIX = ".atnasc"


@dataclass(frozen=True)
class Artifact:
    """The sources by name, the first the program itself, the experiment chosen, and settings given on top."""

    sources: dict[str, str]
    experiment: str
    settings: tuple[tuple[str, str], ...]
    space: dict[str, Any]

    @property
    def main(self) -> Source:
        name, text = next(iter(self.sources.items()))
        return Source(name, text)

    def read(self, path: str) -> str:
        """A source that the program uses."""
        if path not in self.sources:
            raise Unable(f"the artifact does not hold `{path}`")
        return self.sources[path]

    @property
    def bytes(self) -> bytes:
        """The file."""
        body = {
            "experiment": self.experiment,
            "settings": [list(s) for s in self.settings],
            "sources": [[name, text] for name, text in self.sources.items()],
            "space": self.space,
        }
        whole = {"kind": MARK, "format": FORMAT, "digest": _digest(body), **body}
        return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()


def is_artifact(content: bytes, path: str) -> bool:
    """Whether a file begins as an artifact does, or is called one."""
    return path.endswith(SUFFIX) or (content.lstrip()[:1] == b"{" and MARK.encode() in content[:200])


def open_artifact(content: bytes, path: str) -> Artifact:
    """The artifact in a file. Raises `Unable` where it is damaged or of another format."""
    try:
        whole = json.loads(content)
        body = {key: whole[key] for key in ("experiment", "settings", "sources", "space")}
        kind, form, whole_as_written = whole["kind"], whole["format"], whole["digest"] == _digest(body)
        sources = {str(name): str(text) for name, text in body["sources"]}
        settings = tuple((str(k), str(v)) for k, v in body["settings"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unable(f"{path} is no artifact, or a damaged one; compile its source again") from error
    if kind == MARK and form != FORMAT:
        raise Unable(f"{path} has format {form}, and this version reads format {FORMAT}; compile its source again")
    if kind != MARK or not whole_as_written or not sources:
        raise Unable(f"{path} is a damaged artifact: its digest does not fit; compile its source again")
    return Artifact(sources, str(body["experiment"]), settings, body["space"])


def make_artifact(
    main: Source,
    read: Reader,
    experiment: str,
    settings: Sequence[tuple[str, str]],
    net: Net,
    architectures: int,
) -> Artifact:
    """The artifact of a checked program. `read` is what the program was read with."""
    return Artifact(_bundle(main, read), experiment, tuple(settings), _space(net, architectures))


def plan_of(artifact: Artifact) -> Plan:
    """The experiment that an artifact holds, read and checked anew."""
    pairs = [(path, expression(path, text)) for path, text in artifact.settings]
    program = read_program(artifact.main, artifact.read, pairs)
    if artifact.experiment not in program.plans:
        raise Unable(f"the artifact's program has errors: {'; '.join(f.message for f in program.findings)}")
    return program.plans[artifact.experiment]


def _space(net: Net, architectures: int) -> dict[str, Any]:
    return {
        "name": net.name,
        "architectures": str(architectures),
        "decisions": [
            {"name": d.name, "kind": d.kind, "options": list(d.options), "ordered": d.ordered} for d in net.decisions
        ],
    }


def _bundle(main: Source, read: Reader) -> dict[str, str]:
    """The sources by the names that they have as seen from the program's folder: the same wherever that lies."""
    path = PurePosixPath(main.path)
    used: dict[str, str] = {}

    def kept(name: str) -> str:
        used[name] = read(str(path.parent / name))
        return used[name]

    load(Source(path.name, main.text), kept)
    return {path.name: main.text, **dict(sorted(used.items()))}


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
