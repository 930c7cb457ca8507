"""The book's pages in Chromium: what they ask for, what they show, whether all can read them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from book_site import chapters, page_names, served
from headless import headless
from npm_packages import npm_packages
from site_walk import TOOLS, Walk


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with headless() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.fixture(scope="module")
def walk(site: Path, browser: Any, address: str) -> Walk:
    """All pages to read, each opened once."""
    axe = npm_packages(TOOLS) / "axe-core" / "axe.min.js"
    return Walk(browser, address, axe.read_text(encoding="utf-8")).go(chapters(site))


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Any]:
    """Opens a page of the book; what its scripts throw is an error."""
    with ExitStack() as stack:
        errors: list[str] = []

        def opened(name: str, **options: Any) -> Any:
            context = browser.new_context(**options)
            stack.callback(context.close)
            page = context.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(address + name)
            return page

        yield opened
        assert not errors


def test_pages_ask_no_other_host(walk: Walk) -> None:
    assert walk.found["requests"] == []
    assert walk.found["responses"] == [], "all that they ask for is there"


def test_scripts_complain_of_nothing(walk: Walk) -> None:
    assert walk.found["console"] == []


def test_formulas_are_drawn(walk: Walk) -> None:
    assert walk.count["formulas"] > 50
    assert walk.found["formulas"] == []


def test_axe_finds_nothing_serious(walk: Walk) -> None:
    """By the rules of WCAG 2.1 A and AA, and axe's own good practice."""
    assert walk.found["rules"] == []


def test_letters_stand_out_in_light_and_dark(walk: Walk) -> None:
    assert walk.count["contrast"] > 1000
    assert walk.found["contrast"] == []


def test_a_phone_shows_all_without_scrolling_sideways(walk: Walk) -> None:
    assert walk.found["tooWide"] == []


def test_text_has_at_least_16_pixels(walk: Walk) -> None:
    assert walk.found["small"] == []


def test_the_attention_view_lives(open_page: Any) -> None:
    page = open_page("notebooks/11_inside.html")
    view = page.locator(".qt-attention")
    chosen = view.locator(".heads [aria-checked=true]")
    assert chosen.get_attribute("aria-label") == "layer 1, head 0"
    other = view.get_by_role("radio", name="layer 0, head 1")
    other.click()
    assert other.get_attribute("aria-checked") == "true"
    page.keyboard.press("ArrowDown")
    assert chosen.get_attribute("aria-label") == "layer 1, head 1"
    view.locator(".tokens button").first.hover()
    assert (
        "layer 1, head 1: 'Zorbax' looks most at itself" in view.locator(".sentence").inner_text()
    )
    alone = page.locator(".cell_output:has(.qt-attention) > img")
    assert alone.count() == 1
    assert not alone.is_visible(), "its picture is for where it does not live"


def test_the_widget_shows_its_steps_and_says_that_no_kernel_runs(open_page: Any) -> None:
    page = open_page("notebooks/14_tisslang_engine.html")
    widget = page.locator(".tiss-widget")
    widget.get_by_role("treeitem").nth(2).wait_for()
    assert "No kernel" in widget.get_by_role("status").inner_text()
    for label in ("Check", "Dry run", "Run", "Stop", "Format"):
        button = widget.get_by_role("button", name=label, exact=True)
        assert button.get_attribute("aria-disabled") == "true"
    assert not page.locator(".tiss-picture").is_visible()


def test_without_scripts_there_are_pictures(open_page: Any) -> None:
    page = open_page("notebooks/11_inside.html", java_script_enabled=False)
    picture = page.get_by_alt_text("Two layers of two heads. Heat maps")
    assert picture.is_visible()
    page = open_page("notebooks/14_tisslang_engine.html", java_script_enabled=False)
    assert page.locator(".tiss-picture").is_visible()


def test_search_finds_lessons(open_page: Any) -> None:
    page = open_page("search.html?q=softmax")
    found = page.locator("#search-results li a")
    found.first.wait_for()
    page.get_by_text("Search finished").or_(page.locator(".search-summary")).first.wait_for()
    assert any("notebooks/04_attention" in a.get_attribute("href") for a in found.all())


@pytest.mark.long
def test_all_other_pages_are_like_those(site: Path, browser: Any, address: str) -> None:
    axe = npm_packages(TOOLS) / "axe-core" / "axe.min.js"
    others = sorted({*page_names(site)} - {*chapters(site), "index.html"})
    assert len(others) > 80
    walk = Walk(browser, address, axe.read_text(encoding="utf-8")).go(others)
    assert {check: findings for check, findings in walk.found.items() if findings} == {}
