"""What `compile` and `run` take: a source or an artifact, an experiment of it, and settings on top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from atnas.dsl.errors import Findings, Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.modules import Reader
from atnas.dsl.source import Source
from atnas.dsl.syntax.ast import Expr
from atnas.runtime.artifact import Artifact, is_artifact, make_artifact, open_artifact, plan_of
from atnas.runtime.checking import read_program
from atnas.runtime.folder import RunFolder
from atnas.runtime.program import Plan, Program, expression
from atnas.runtime.sources import decoded, read_bytes, read_text, source

SHOWN: Final = 3
"""Changes that a refusal tells."""


@dataclass(frozen=True)
class Chosen:
    """An experiment to run, and the artifact that holds it."""

    plan: Plan
    artifact: Artifact


def chosen(path: str, experiment: str | None, settings: Sequence[str] = ()) -> Chosen:
    """The experiment of a source or an artifact; `-` is a source on standard input.

    Raises `Findings` where the file has errors, `Unable` where there is no such experiment or a setting is wrong.
    """
    pairs = [_pair(s) for s in settings]
    if path == "-":
        return _planned(source(path), read_text, experiment, pairs)
    content = read_bytes(path)
    if not is_artifact(content, path):
        return _planned(Source(path, decoded(content, path)), read_text, experiment, pairs)
    artifact = open_artifact(content, path)
    if experiment not in (None, artifact.experiment):
        raise Unable(f"{path} holds the experiment `{artifact.experiment}`, not `{experiment}`")
    return _planned(artifact.main, artifact.read, artifact.experiment, [*artifact.settings, *pairs])


def resumed(found: Chosen, folder: RunFolder, told: Callable[[str], None]) -> Chosen:
    """What a folder is to go on with: the program in it, where that means the same as the one found.

    `told` hears where its text is another. Raises `Unable` where it means something else.
    """
    if not folder.program.exists() or folder.holds(found.artifact.bytes):
        return found
    from atnas.compiler.identity import digest as space_digest
    from atnas.runtime.meaning import changed, digest

    held = folder.artifact()
    plan = plan_of(held)
    if digest(plan) == digest(found.plan):
        told(f"{folder.root} goes on: {found.artifact.main.path} means the same as what it runs")
        return Chosen(plan, held)
    changes = [f"{key} was {old} and is {new}" for key, old, new in changed(plan, found.plan)]
    if space_digest(plan.narrowed) != space_digest(found.plan.narrowed):
        changes.insert(0, f"the space `{plan.net.name}` changed")
    shown = "; ".join(changes[:SHOWN]) + (f"; and {len(changes) - SHOWN} more" if len(changes) > SHOWN else "")
    raise Unable(
        f"{folder.root} holds another run ({shown}); name another folder with --out, to which --from {folder.root} "
        "takes the weights along, or start anew with --fresh"
    )


def _planned(main: Source, read: Reader, experiment: str | None, pairs: Sequence[tuple[str, str]]) -> Chosen:
    from atnas.compiler.conflicts import conflict
    from atnas.compiler.space import compile

    settings = [(key, expression(key, value)) for key, value in pairs]
    program = read_program(main, read, settings)
    if not program.good:
        _blame(settings, program.findings)
        raise Findings(program.findings)
    plan = pick(program, experiment, main.path)
    space = compile(plan.narrowed)
    unmet = conflict(space)
    if unmet is not None:
        raise Findings([unmet])
    return Chosen(plan, make_artifact(main, read, plan.name, pairs, plan.net, space.encoding.count()))


def _blame(settings: Sequence[tuple[str, Expr]], findings: Sequence[Diagnostic]) -> None:
    """Raises `Unable` where it is a --set and not the file that is wrong."""
    given = {value.span.source: value.span.text for _, value in settings}
    for finding in findings:
        if finding.severity == "error" and finding.span.source in given:
            cure = f"; {finding.help}" if finding.help else ""
            raise Unable(f"{finding.span.source.path}={given[finding.span.source]}: {finding.message}{cure}")


def pick(program: Program, name: str | None, path: str) -> Plan:
    """The experiment of this name, or the only one. Raises `Unable` where there is none, or several and no name."""
    names = list(program.plans)
    if name is None and len(names) == 1:
        return program.plans[names[0]]
    if not names:
        raise Unable(f"{path} declares no experiment: add experiment NAME {{ space = .. tasks = .. train = .. }}")
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
