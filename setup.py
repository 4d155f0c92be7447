"""Refuses to build where the source links are missing: such a wheel would lack the language."""

from pathlib import Path

from setuptools import setup

missing = [name for name in ("dsl", "compiler", "runtime", "grammars") if not Path("src/atnas", name).is_dir()]
if missing:
    raise SystemExit(
        f"src/atnas/{missing[0]} is not a folder: "
        "check the repository out with symbolic links (git config core.symlinks true)"
    )
setup()
