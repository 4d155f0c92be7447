"""The language as data: the grammar, the tables made from it, and the standard library."""

from pathlib import Path


def path(name: str) -> Path:
    """Where a file of this folder lies."""
    return Path(__file__).with_name(name)


def text(name: str) -> str:
    """The content of a file of this folder. Raises FileNotFoundError."""
    return path(name).read_text(encoding="utf-8")
