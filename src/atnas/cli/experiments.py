"""What `compile` and `run` take: a source or an artifact, an experiment of it, and settings on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atnas.cli.check import report
from atnas.cli.files import decoded, read_bytes, read_text
from atnas.dsl.errors import Unable
from atnas.dsl.modules import Reader
from atnas.dsl.source import Source
from atnas.dsl.suggest import nearest
from atnas.runtime.artifact import Artifact, is_artifact, make_artifact, open_artifact
from atnas.runtime.program import Plan, Program, expression, read_program


@dataclass(frozen=True)
class Chosen:
    """An experiment to run, and the artifact that holds it."""

    plan: Plan
    artifact: Artifact


class Findings(Exception):
    """The program has errors, and they were printed."""


def chosen(path: str, experiment: str | None, settings: Sequence[str] = ()) -> Chosen:
    """The experiment of a file. Raises `Findings` where the file has errors, `Unable` where there is no such one."""
    content = read_bytes(path)
    pairs = [_pair(s) for s in settings]
    if is_artifact(content):
        artifact = open_artifact(content, path)
        if experiment is not None and experiment != artifact.experiment:
            raise Unable(f"{path} holds the experiment `{artifact.experiment}`, not `{experiment}`")
        return _planned(artifact.main, artifact.read, artifact.experiment, [*artifact.settings, *pairs])
    return _planned(Source(path, decoded(content, path)), read_text, experiment, pairs)


def _planned(main: Source, read: Reader, experiment: str | None, pairs: Sequence[tuple[str, str]]) -> Chosen:
    from atnas.compiler.space import compile

    used: dict[str, str] = {}

    def kept(path: str) -> str:
        used[path] = read(path)
        return used[path]

    program = read_program(main, kept, [(path, expression(path, text)) for path, text in pairs])
    if not program.good:
        report(program.findings, 1)
        raise Findings
    plan = _pick(program, experiment, main.path)
    count = compile(plan.narrowed).encoding.count()
    return Chosen(plan, make_artifact(main, used, plan.name, tuple(pairs), plan.net, count))


def _pick(program: Program, name: str | None, path: str) -> Plan:
    names = list(program.plans)
    if name is None and len(names) == 1:
        return program.plans[names[0]]
    if not names:
        raise Unable(f"{path} declares no experiment; `atnas explain experiment` shows one")
    if name is None:
        raise Unable(f"{path} has several experiments; choose one with --experiment: {', '.join(names)}")
    if name not in program.plans:
        close = nearest(name, names)
        cure = f"did you mean `{close}`?" if close else f"it has {', '.join(names)}"
        raise Unable(f"{path} has no experiment `{name}`; {cure}")
    return program.plans[name]


def _pair(setting: str) -> tuple[str, str]:
    key, equals, value = setting.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise Unable(f"--set {setting}: write KEY=VALUE, such as train.iterations=500")
    return key.strip(), value.strip()
