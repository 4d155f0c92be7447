"""The standard library, for tests: its spaces compiled for tasks of any shape, and what their members cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from atnas.compiler.space import Compiled, compile
from atnas.dsl.elaborate.space import Ends, work_out
from atnas.dsl.modules import Module, load
from atnas.dsl.net import Json
from atnas.dsl.operator import Shape
from atnas.dsl.source import Source
from atnas.dsl.syntax import ast

LIBRARY = Path(__file__).parents[1] / "grammars" / "std"
FILES = sorted(LIBRARY.glob("*.atnas"))

Task = tuple[Shape, int]
"""The shape of an input and the number of classes."""

IMAGENET: Task = (3, 224, 224), 1000
CIFAR: Task = (3, 32, 32), 10

Architecture = dict[str, Json]


@cache
def declared(file: str) -> Module:
    """A file of the library as a user gets it, with all its spaces."""
    names = re.findall(r"^space (\w+)", (LIBRARY / f"{file}.atnas").read_text("utf-8"), re.MULTILINE)
    module, findings = load(Source("test.atnas", f"use std.{file} ({', '.join(names)})"), str)
    assert findings == []
    return module


@cache
def space(file: str, name: str = "", ends: Task | None = None, arguments: str = "") -> Compiled:
    """A space of the library, for tasks of this input shape and so many classes, with arguments as an experiment
    gives them."""
    name = name or file
    module = declared(file)
    home, findings = load(Source("call.atnas", f"experiment e {{ space = {name}({arguments}) }}"), str)
    assert findings == []
    setting = home.names["e"].syntax.body[0]
    assert isinstance(setting, ast.Bind)
    assert isinstance(setting.value, ast.Call)
    worked = work_out(module.names[name], setting.value, home, ends and Ends(*ends, setting.span))
    assert worked.findings == []
    assert worked.net is not None
    return compile(worked.net)


def costs(of: Compiled, architecture: Mapping[str, Json]) -> dict[str, int]:
    """Every metric of a member; what is inactive need not be named."""
    return of.costs.of(of.encoding.encode(architecture))


def named(of: Compiled, end: str) -> list[str]:
    """The decisions whose names end so."""
    return [d.name for d in of.net.decisions if d.name.endswith(end)]


def millions(count: int, digits: int = 1) -> float:
    return round(count / 1e6, digits)
