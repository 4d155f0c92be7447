"""The program that "From an architecture to a network" shows turns the answer of a run into a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import TINY, run
from pages import MANUAL

PAGE = next(page for page in MANUAL if page.stem == "11_experiments")
PROGRAM = PAGE.read_text(encoding="utf-8").partition("```python\n")[2].partition("```\n")[0]


def test_the_program_of_the_page_gives_the_network_that_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.atnas").write_text(TINY)
    folder = tmp_path / "runs" / "few_shot"
    assert run(tmp_path / "tiny.atnas", folder).code == 0
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(PROGRAM, PAGE.name, "exec"), names)
    result = json.loads((folder / "result.json").read_text())
    assert sum(p.numel() for p in names["network"].parameters()) == result["params"]
    assert f"'params': {result['params']}" in capsys.readouterr().out
    x = torch.randn(4, 1)
    assert torch.equal(names["network"](x), names["supernet"](x, names["genotype"]))
