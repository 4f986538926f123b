# SPDX-License-Identifier: MIT
"""report.html: what it says, that it stays small, and that nothing in it is taken for markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from kit_core.secrets import Masker
from kit_deployer.objects import Key
from kit_deployer.report import write_reports
from kit_deployer.report.matrix import CELLS, matrix
from kit_deployer.report.page import page
from kit_deployer.report.timeline import WIDTH, details, lines
from kit_deployer.result import ClusterResult, Failure, ObjectResult, RunResult
from tests.unit.deployer.fleets import LOG, TRAPS, hostile, large, shop

LARGEST = 5_000_000


class Tags(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def having(self, attribute: str) -> list[str]:
        return [value or "" for _, attributes in self.tags for name, value in attributes.items() if name == attribute]


def test_failures_with_their_logs_come_before_the_fleet() -> None:
    text = page(shop("production-us"))
    assert "<h1>Deploy failed on 1 of 5 clusters</h1>" in text
    places = [text.index(part) for part in ('id="failures"', 'id="fleet"', 'id="timeline"', 'id="changes"')]
    assert places == sorted(places)
    assert LOG.splitlines()[-1] in text
    assert "Back-off restarting failed container" in text


def test_links_lead_to_parts_of_the_page() -> None:
    tags = Tags(page(shop("production-us", "staging-eu")))
    ids = tags.having("id")
    targets = [href.removeprefix("#") for href in tags.having("href")]
    assert len(set(ids)) == len(ids)
    assert set(targets) <= set(ids)
    assert {target for target in targets if target.startswith("f")} == {"fleet", "failures", "f0"}


def test_the_page_needs_no_network_and_lets_no_other_script_run() -> None:
    text = page(hostile())
    tags = Tags(text)
    assert not {"link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in tags.tags} - {"form"}
    assert not tags.having("src")
    assert all(href.startswith("#") for href in tags.having("href"))
    assert "url(" not in text.split("</style>")[0]
    policy = next(dict(attributes)["content"] for tag, attributes in tags.tags if attributes.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_what_is_foreign_is_text() -> None:
    """A page full of traps has no element and no attribute that is not ours."""
    text = page(hostile())
    tags = Tags(text)
    assert sum(tag == "script" for tag, _ in tags.tags) == 1
    assert sum(tag == "style" for tag, _ in tags.tags) == 1
    known = {
        "charset", "http-equiv", "content", "name", "lang", "class", "id", "hidden", "for", "type", "placeholder",
        "value", "aria-label", "aria-live", "aria-hidden", "role", "href", "title", "scope", "tabindex", "open",
        "viewbox", "preserveaspectratio", "x", "y", "width", "height", "autocomplete", "data-clusters", "data-object",
    }  # fmt: skip
    assert {name for _, attributes in tags.tags for name in attributes} <= known
    assert not set("\x00\x07\x1b\u202e\ud800") & set(text)
    shown = "".join(tags.text)
    assert all(trap in shown for trap in TRAPS if trap.isascii() and trap.isprintable())


def test_every_report_of_hostile_texts_is_written_and_can_be_read(tmp_path: Path) -> None:
    json_file, junit_file, *_ = write_reports(hostile(), tmp_path, Masker())
    clusters = json.loads(json_file.read_text())["clusters"]
    assert [cluster["notes"][0] for cluster in clusters] == list(TRAPS)
    assert len(ET.parse(junit_file).getroot()) == len(TRAPS)


def test_neither_style_nor_script_holds_a_value() -> None:
    """What holds no data needs no escaping for a script: `</script>` and line separators of U+2028 have no way in."""

    def own(text: str) -> list[str]:
        return re.findall(r"<(?:style|script)>.*?</(?:style|script)>", text, re.DOTALL)

    assert own(page(hostile())) == own(page(shop()))


@pytest.mark.parametrize("same", [True, False])
def test_a_thousand_clusters_with_fifty_objects_each(same: bool) -> None:
    text = page(large(1000, 50, same=same))
    assert len(text.encode()) < LARGEST
    assert text.count("<td") > 50_000
    assert "region-19-customer-0999" in text
    assert text.count('id="c') >= 50
    if same:
        assert text.count("LINE_7: some value") == 50
    else:
        assert "more changes are in report.json" in text


def test_endless_diffs_and_logs_are_cut_and_that_is_said() -> None:
    diff = "--- a\n+++ b\n" + "+ a line of a long file <&>\n" * 4_000
    keys = [Key("", "ConfigMap", "shop", f"file-{number}") for number in range(200)]
    items = tuple(ObjectResult(key=key, did="changed", diff=diff) for key in keys)
    failures = tuple(
        Failure(message=f"{number}", object=key, logs=f"{number} {'x' * 9_000} last words")
        for number, key in enumerate(keys)
    )
    only = ClusterResult(name="one", server="", namespace="shop", objects=items, failures=failures)
    text = page(RunResult(clusters=(only,), dry_run=False, started="", seconds=1))
    assert len(text.encode()) < LARGEST
    assert text.count("The rest of this difference is in report.json.") == 200
    assert "The rest of the log is in report.json." in text
    assert "last words" in text


def test_clusters_that_have_little_in_common_make_no_endless_table() -> None:
    def one(number: int) -> ClusterResult:
        keys = [Key("batch", "Job", "shop", f"job-{number}-{index}") for index in range(60)]
        items = tuple(ObjectResult(key=key, did="created") for key in (*keys, Key("", "Service", "shop", "web")))
        return ClusterResult(name=f"c{number}", server="", namespace="shop", objects=items)

    clusters = list(map(one, range(600)))
    bad = Key("batch", "Job", "shop", "job-5-7")
    objects = tuple(replace(item, health="failed") if item.key == bad else item for item in clusters[5].objects)
    clusters[5] = replace(clusters[5], objects=objects)
    run = RunResult(clusters=tuple(clusters), dry_run=False, started="", seconds=1)
    found = matrix(run, {})
    assert len(found.columns) * 600 <= CELLS
    assert {("", "Service", "web"), ("batch", "Job", "job-5-7")} <= set(found.columns)
    assert len(found.columns) + found.left_out == 600 * 60 + 1
    assert sum(row.others for row in found.rows) == found.left_out
    assert len(page(run).encode()) < LARGEST


def test_a_cell_says_the_worst_and_leads_to_the_failure() -> None:
    run = shop("production-us")
    found = matrix(run, {})
    names = [name for _, _, name in found.columns]
    assert names[0] == ""
    words = [cell.word if cell else "" for cell in found.rows[0].cells]
    assert found.rows[0].cluster.name == "production-us"
    assert words[names.index("checkout", 7)] == "failed"
    assert words[-1] == "not done"
    assert "<td class=failed><a href=#f0 title=failed>" in page(run)


def test_the_timeline_has_each_cluster_in_its_turn() -> None:
    run = shop("production-us")
    by_name = {line.name: line for line in lines(run)}
    line = by_name["production-us"]
    assert [bar.word for bar in line.bars] == ["applying", "waiting", "failed", "failed"]
    assert line.bars[0].start == round(0.2 / 22.4 * WIDTH)
    assert all(bar.start + bar.width <= WIDTH for line in by_name.values() for bar in line.bars)
    detail = details(run)[0]
    assert detail.cluster == "production-us"
    assert [line.name.split("/")[-1] for line in detail.lines] == [
        "shop-settings", "catalog-migrate-5f2c1", "cart", "checkout",
    ]  # fmt: skip
    assert detail.lines[-1].word == "failed"


@pytest.mark.parametrize(
    "run",
    [
        RunResult(clusters=(), dry_run=True, started="", seconds=0, error=Failure(message="a.yaml:3: no", exit_code=2)),
        RunResult(clusters=(ClusterResult(name="cut", server="", namespace="", finished=False),), dry_run=False,
                  started="", seconds=0.0, interrupted=143),
        RunResult(clusters=(), dry_run=False, started="", seconds=0),
    ],
)  # fmt: skip
def test_runs_that_hardly_began(run: RunResult) -> None:
    text = page(run)
    assert run.word in text
    assert run.error is None or run.error.message in text
