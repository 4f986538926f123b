# SPDX-License-Identifier: MIT
"""report.html in a real browser: it loads without a network, shows what it should, and its filter works."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit_deployer.report.page import page
from kit_deployer.result import RunResult
from testbed.bed import Testbed
from testbed.browser import Browser, running
from tests.unit.deployer.fleets import hostile, large, shop

SHOWN = "return [...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent !== null).map(e => e.innerText)"
DOCUMENTED = Path(__file__).parents[2] / "docs/report.png"


@pytest.fixture(scope="module")
def window(bed: Testbed) -> Iterator[Browser]:
    with running(bed.id) as browser:
        browser.resize(1280, 1500)
        yield browser


@pytest.fixture
def opened(window: Browser, tmp_path: Path) -> Any:
    """Opens the page of a run; returns the window. Whatever it says on its console fails the test."""

    def open_page(result: RunResult) -> Browser:
        file = tmp_path / "page.html"
        file.write_text(page(result))
        window.open(file)
        return window

    yield open_page
    assert window.messages() == []


def shown(window: Browser, selector: str) -> list[str]:
    found: list[str] = window.script(SHOWN, selector)
    return found


def clusters(window: Browser) -> list[str]:
    return shown(window, "#matrix tbody th")


def columns(window: Browser) -> list[str]:
    return [text.split("\n")[0] for text in shown(window, "#matrix thead th:not(.corner)")]


def test_the_page_shows_what_failed_and_asks_nobody_for_anything(opened: Any) -> None:
    window = opened(shop("production-us"))
    assert window.script("return document.title") == "kit-deployer: deploy failed on 1 of 5 clusters"
    assert "no payment provider after 3 attempts" in shown(window, "#failures pre")[0]
    assert clusters(window)[0] == "production-us"
    assert window.script("return performance.getEntriesByType('resource').length") == 0
    # The style and the script are those that the policy lets in.
    assert window.script("return getComputedStyle(document.querySelector('#matrix td.failed')).textAlign") == "center"
    assert shown(window, "#filter") != []


def test_the_filters_leave_what_was_asked_for(opened: Any) -> None:
    window = opened(shop("production-us", "staging-eu"))
    window.type("#by-cluster", "staging")
    assert clusters(window) == ["staging-eu", "staging-us"]
    assert shown(window, "#timeline > .scroll tbody th") == ["staging-eu", "staging-us"]
    assert shown(window, "#count") == ["2 of 5 clusters"]
    window.type("#by-cluster", "")
    window.type("#by-object", "checkout")
    assert len(columns(window)) == 2
    assert len(shown(window, "#changes .change")) == 1
    window.type("#by-object", "deployment")
    assert len(columns(window)) == 4
    window.type("#by-object", "")
    assert len(columns(window)) == 13
    window.click("#by-outcome option[value=failed]")
    assert clusters(window) == ["production-us", "staging-eu"]
    window.type("#by-cluster", "nothing is called so")
    assert clusters(window) == []


def test_a_cell_leads_to_its_failure_and_to_its_change(opened: Any) -> None:
    window = opened(shop("production-us"))
    window.click("#matrix tr.bad td.failed a")
    assert window.script("return location.hash") == "#f0"
    window.click("#matrix tr.new td.created a")
    assert window.script("return document.querySelector(location.hash).textContent").strip().startswith("+ created")
    assert not window.script("return document.querySelectorAll('details.change')[1].open")
    window.script("document.querySelectorAll('#matrix tr.new td.changed a')[1].click()")
    window.script("return new Promise(done => setTimeout(done, 0))")
    assert window.script("return document.querySelector(location.hash).open")


def test_every_cell_can_be_told_what_it_is(opened: Any) -> None:
    """By its row's and its column's heads, and by a sign that is not only a colour."""
    window = opened(shop("production-us"))
    assert window.script(
        "return [...document.querySelectorAll('table')].every(t => t.caption && [...t.rows].every(r =>"
        " r.parentNode.tagName === 'THEAD' ? [...r.cells].every(c => c.scope === 'col') : r.cells[0].scope === 'row'))"
    )
    assert window.script("return [...document.querySelectorAll('#matrix td[class]')].every(c => c.textContent !== '')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read_in_light_and_in_darkness(opened: Any, scheme: str) -> None:
    """WCAG 2: a contrast of 4.5 for text of this size."""
    window = opened(shop("production-us"))
    window.emulate(prefers_color_scheme=scheme)
    try:
        assert window.script(CONTRASTS) == []
        ground = window.script("return getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
    finally:
        window.emulate(prefers_color_scheme="light")


CONTRASTS = """
const number = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (rgb) => {
  const [r, g, b] = rgb.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const rgb = number(getComputedStyle(e).backgroundColor);
    if (rgb.length === 3 || rgb[3] > 0) return rgb;
  }
  return [255, 255, 255];
};
const poor = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  if (!own || element.offsetParent === null) continue;
  const pair = [light(number(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
  const contrast = (pair[0] + .05) / (pair[1] + .05);
  if (contrast < 4.5) poor.push([element.outerHTML.slice(0, 100), contrast]);
}
return poor;
"""


def test_traps_do_not_snap(opened: Any) -> None:
    window = opened(hostile())
    assert window.script("return window.trapped === undefined")
    window.script("document.querySelectorAll('#matrix td').forEach(e => e.dispatchEvent(new MouseEvent('mouseover', "
                  "{bubbles: true})))")  # fmt: skip
    window.type("#by-cluster", "<script>")
    assert len(clusters(window)) == 3
    assert window.script("return window.trapped === undefined")
    assert window.script("return document.scripts.length") == 1


def test_a_thousand_clusters_are_filtered(opened: Any) -> None:
    window = opened(large(1000, 50))
    assert len(columns(window)) == 50
    window.type("#by-cluster", "region-07")
    assert shown(window, "#count") == ["50 of 1000 clusters"]
    assert len(clusters(window)) == 50
    window.type("#by-object", "cronjob")
    assert len(columns(window)) == 10
    assert window.script("return document.documentElement.scrollWidth <= window.innerWidth")


def test_the_screenshot_of_the_documentation(opened: Any, tmp_path: Path) -> None:
    """docs/report.png is what the page looks like: KIT_WRITE_SCREENSHOT=1 takes it anew."""
    import os

    window = opened(shop("production-us"))
    taken = window.screenshot()
    assert struct.unpack(">II", taken[16:24])[0] == 1280
    if os.environ.get("KIT_WRITE_SCREENSHOT"):
        DOCUMENTED.write_bytes(taken)
    kept = DOCUMENTED.read_bytes()
    assert kept.startswith(b"\x89PNG")
    assert len(kept) < 300_000
