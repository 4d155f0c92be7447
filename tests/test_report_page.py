"""The page of a report in a browser: on a phone and on a desk, in the light and in the dark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import TINY, atnas, run
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine; .ci/run installs one")

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of one run, and that of two side by side."""
    root = tmp_path_factory.mktemp("pages")
    (root / "tiny.atnas").write_text(TINY)
    for seed in (1, 2):
        ended = run(root / "tiny.atnas", root / f"run-{seed}", "--set", f"experiment.seed={seed}")
        assert ended.code == 0, ended.err
    made = {"one": ["run-1"], "two": ["run-1", "run-2"]}
    for name, runs in made.items():
        ended = atnas("report", *(root / each for each in runs), "-o", root / f"{name}.html")
        assert ended.code == 0, ended.err
    return {name: root / f"{name}.html" for name in made}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield context.new_page()
    context.close()


SIGHTS = [(width, scheme) for width in (360, 1440) for scheme in ("light", "dark")]


@pytest.mark.parametrize("opened", SIGHTS, indirect=True, ids=[f"{width} {scheme}" for width, scheme in SIGHTS])
@pytest.mark.parametrize("name", ["one", "two"])
def test_a_page_fits_is_silent_and_asks_for_nothing(name: str, opened: Page, pages: dict[str, Path]) -> None:
    said: list[ConsoleMessage] = []
    asked: list[Request] = []
    faults: list[Any] = []
    opened.on("console", lambda message: said.append(message))
    opened.on("request", lambda request: asked.append(request))
    opened.on("pageerror", lambda error: faults.append(error))
    opened.goto(pages[name].as_uri())
    for details in opened.locator("details").all():
        details.evaluate("each => each.open = true")
    assert [message.text for message in said] == []
    assert faults == []
    assert [r.url for r in asked if not r.url.startswith("data:")] == [pages[name].as_uri()]
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    broken = "[...document.images].filter(image => !image.complete || image.naturalWidth === 0).length"
    assert opened.evaluate(broken) == 0


@pytest.mark.parametrize("opened", [(1440, "light"), (1440, "dark")], indirect=True, ids=["light", "dark"])
def test_text_stands_out_from_its_ground(opened: Page, pages: dict[str, Path]) -> None:
    """A contrast of 4.5 at least, as WCAG 2.1 asks for (success criterion 1.4.3)."""
    opened.goto(pages["one"].as_uri())
    colors = opened.evaluate(
        """() => [...document.querySelectorAll("p, h1, h2, th, td, dt, dd, figcaption, summary, code")].map(each =>
            [getComputedStyle(each).color, getComputedStyle(document.body).backgroundColor])"""
    )
    assert colors
    for ink, paper in {tuple(pair) for pair in colors}:
        assert contrast(ink, paper) >= 4.5, (ink, paper)


@pytest.mark.parametrize("opened", [(1440, "light")], indirect=True)
def test_a_screen_reader_finds_headings_names_and_words(opened: Page, pages: dict[str, Path]) -> None:
    opened.goto(pages["one"].as_uri())
    assert opened.get_by_role("heading", level=1).all_inner_texts() == ["tiny"]
    assert opened.get_by_role("main").count() == 1
    for image in opened.get_by_role("img").all():
        assert len(image.get_attribute("alt") or "") > 20
    for table in opened.get_by_role("table").all():
        assert table.get_by_role("columnheader").count() > 1
    assert opened.evaluate("document.documentElement.lang") == "en"


def contrast(one: str, other: str) -> float:
    """Of two colours as CSS computes them, 1 to 21."""
    low, high = sorted(luminance(color) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    parts = [int(part) / 255 for part in color[color.index("(") + 1 : color.index(")")].split(",")[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
