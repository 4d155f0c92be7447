"""What each finding's code means, why it matters, and its cure: the text of grammars/explain.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

_SECTION = re.compile(r"^## ([EW]\d{3}) (.+)\n", re.MULTILINE)
_EXAMPLE = re.compile(r"^```atnas (fails|cured)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Explanation:
    """One code. `fails` is a file that has the finding, `cured` the same without; empty where none is short enough."""

    code: str
    title: str
    text: str
    fails: str
    cured: str


@cache
def explanations() -> dict[str, Explanation]:
    """Every explanation by its code."""
    page = (resources.files("atnas.grammars") / "explain.md").read_text("utf-8")
    _, *parts = _SECTION.split(page)
    found = (
        _explanation(code, title, body) for code, title, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    )
    return {e.code: e for e in found}


def _explanation(code: str, title: str, body: str) -> Explanation:
    examples = dict(_EXAMPLE.findall(body))
    text = _EXAMPLE.sub("", body).strip()
    return Explanation(code, title.strip(), text, examples.get("fails", ""), examples.get("cured", ""))
