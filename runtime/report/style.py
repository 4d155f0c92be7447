"""The look of all figures, for paper and for screens: light, and dark where that is preferred."""

from __future__ import annotations

from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, RULE, PAPER = "#111827", "#6b7280", "#e5e7eb", "#ffffff"
SERIES: Final = ("#0f766e", "#b45309", "#1d4ed8", "#a21caf", "#4d7c0f", "#be123c", "#0369a1", "#7c2d12")
"""Colours of things that are compared, told apart by the colour-blind in this order, too."""

DARK: Final = dict(
    zip(
        (INK, FAINT, RULE, PAPER, *SERIES),
        (
            *("#e5e7eb", "#9ca3af", "#334155", "#0f172a"),
            *("#5eead4", "#fdba74", "#93c5fd", "#f0abfc", "#bef264", "#fda4af", "#7dd3fc", "#fed7aa"),
        ),
        strict=True,
    )
)
"""What each colour becomes on a dark ground."""

WIDTH, HEIGHT = 4.4, 3.0
"""Inches. A figure fills a phone's width, so its letters are as large as text there."""

SETTINGS: Final[Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 9,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "atnas",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}


def figure(height: float = HEIGHT) -> tuple[Figure, Axes]:
    """An empty figure with axes, as wide as all, `height` inches high. Use it within `styled`."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(WIDTH, height), layout="constrained")
    return made, made.add_subplot()


def styled() -> Any:
    """A context in which figures have this look."""
    from matplotlib import rc_context

    return rc_context(SETTINGS)


def svg(drawn: Figure) -> str:
    """A figure as SVG: the same bytes for the same figure, words as words, dark where that is preferred."""
    with styled():
        text = StringIO()
        drawn.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    body = text.getvalue()
    body = body[body.index("<svg") :]
    rules = "".join(_rule(light, dark) for light, dark in DARK.items())
    return body.replace("<defs>", f"<style>@media (prefers-color-scheme: dark) {{\n{rules}}}</style>\n <defs>", 1)


def png(drawn: Figure, dpi: int = 200) -> bytes:
    """A figure as PNG, on white."""
    with styled():
        found = BytesIO()
        drawn.savefig(found, format="png", dpi=dpi, facecolor=PAPER, metadata={"Software": None})
    return found.getvalue()


def _rule(light: str, dark: str) -> str:
    """Styles stand in attributes, which a rule beats only where it says so."""
    return "".join(f'[style*="{what}: {light}"] {{ {what}: {dark} !important }}\n' for what in ("fill", "stroke"))
