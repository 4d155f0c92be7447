"""HTML written by functions, so that whatever anybody called something is text and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --ink: #111827; --faint: #5b6472; --rule: #e5e7eb; --paper: #ffffff;
  --soft: #f8fafc; --strong: #0f766e }
@media (prefers-color-scheme: dark) { :root { --ink: #e5e7eb; --faint: #a3adbb; --rule: #334155; --paper: #0f172a;
  --soft: #162033; --strong: #5eead4 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial,
  "Liberation Sans", sans-serif }
main { max-width: 68rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1rem 0 0.25rem }
h2 { font-size: 1.2rem; margin: 2.25rem 0 0.5rem; padding-top: 0.75rem; border-top: 1px solid var(--rule) }
h3 { font-size: 1rem; margin: 0 0 0.25rem }
h1, h2, h3, dd, p, code, figcaption { overflow-wrap: anywhere }
p { margin: 0.4rem 0; max-width: 46rem }
.faint, figcaption, dt { color: var(--faint) }
.answer { font-size: 2.6rem; line-height: 1.1; font-weight: 700; color: var(--strong); margin: 0.75rem 0 0.25rem }
.grid { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)) }
.grid > * { min-width: 0 }
figure { margin: 0; break-inside: avoid; max-width: 36rem }
figure img { display: block; width: 100%; height: auto }
figcaption { font-size: 0.9rem }
section { margin: 1.5rem 0 }
.wide { overflow-x: auto; border: 1px solid var(--rule); border-radius: 6px; background: var(--soft) }
.wide img { display: block; max-width: none }
table { border-collapse: collapse; font-size: 0.95rem; font-variant-numeric: tabular-nums }
caption { text-align: left; color: var(--faint); padding-bottom: 0.25rem }
caption span { position: sticky; left: 0; display: block; max-width: min(60rem, 100vw - 2rem) }
th, td { white-space: nowrap; padding: 0.3rem 0.9rem 0.3rem 0; border-bottom: 1px solid var(--rule);
  text-align: right; vertical-align: top }
th:first-child, td:first-child { text-align: left }
td code, th code { display: inline-block; white-space: normal; min-width: 12rem; max-width: 30rem;
  text-align: left }
.scroll { overflow-x: auto }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.2rem 1rem; margin: 0.5rem 0 }
dd { margin: 0 }
code, pre { font: 0.9em/1.45 ui-monospace, Menlo, Consolas, "Liberation Mono", monospace }
pre { overflow-x: auto; background: var(--soft); border: 1px solid var(--rule); border-radius: 6px; padding: 0.6rem }
details { margin: 0.5rem 0 } summary { cursor: pointer }
a { color: var(--strong) }
@media (max-width: 30rem) { table { font-size: 0.85rem } th, td { padding-right: 0.5rem } }
@media (max-width: 30rem) { dl { grid-template-columns: minmax(0, 1fr); gap: 0 } dd { margin-bottom: 0.4rem }
  .answer { font-size: 2rem } }
@media print { main { max-width: none; padding: 0 } .wide { overflow: visible }
  .wide img { max-width: 100%; height: auto }
  h2 { break-after: avoid } }
"""

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Nothing is loaded, and nothing runs."""


class Html(str):
    """What is HTML already."""


def node(name: str, *content: object, **attributes: object) -> Html:
    """An element. Text in it is escaped; an attribute that is None is left out, `class_` is `class`."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    opened = "".join(f' {key}="{escape(str(value))}"' for key, value in given.items())
    return Html(f"<{name}{opened}>{''.join(map(text, content))}</{name}>")


def text(content: object) -> str:
    """What stands in an element."""
    if isinstance(content, Html):
        return content
    if isinstance(content, list | tuple):
        return "".join(map(text, content))
    return escape(str(content))


def picture(svg: str, said: str, width: float | None = None) -> Html:
    """An SVG that has its own colours and shares nothing with the page."""
    data = base64.b64encode(svg.encode()).decode()
    wide = "" if width is None else f' width="{width:g}"'
    return Html(f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(said)}"{wide}>')


def figure(title: str, svg: str, said: str) -> Html:
    """A picture with its title and what it says."""
    return node("figure", node("h3", title), picture(svg, f"{title}. {said}"), node("figcaption", said))


def table(caption: str, head: Sequence[object], rows: Iterable[Sequence[object]]) -> Html:
    """Rows under a head; the first cell of each names it."""
    top = node("tr", [node("th", cell, scope="col") for cell in head])
    body = [node("tr", node("th", first, scope="row"), [node("td", cell) for cell in rest]) for first, *rest in rows]
    whole = node("table", node("caption", node("span", caption)), node("thead", top), node("tbody", body))
    return node("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def pairs(rows: Iterable[tuple[object, Any]]) -> Html:
    """Names and what they stand for."""
    return node("dl", [(node("dt", name), node("dd", value)) for name, value in rows])


def page(title: str, body: Iterable[object]) -> str:
    """A whole document that needs nothing but itself."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n{node('main', list(body))}\n</body>\n</html>\n"
    )
