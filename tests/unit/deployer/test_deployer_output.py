# SPDX-License-Identifier: MIT
"""What people and machines are shown: differences with secrets masked, the table, report.json, junit.xml."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from kit_core.errors import WorkError
from kit_core.secrets import Masker
from kit_deployer.diff.difference import unified
from kit_deployer.objects import Json, Key, Place
from kit_deployer.report import write_reports
from kit_deployer.report.document import document
from kit_deployer.report.junit import junit
from kit_deployer.report.summary import summary
from kit_deployer.report.table import remarks, table, undone
from kit_deployer.result import ClusterResult, Failure, ObjectResult, RunResult
from tests.unit.deployer.fleets import large
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, SECRET, declared, live

SCHEMA = Path(__file__).parents[3] / "schemas/report.schema.json"
WEB = Key("apps", "Deployment", "shop", "web")


def bodies(text: str) -> tuple[Json, Json]:
    before = live(declared(text)[0])
    return before, copy.deepcopy(before)


def changed_lines(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]


def test_a_difference_without_noise() -> None:
    before, after = bodies(CONFIG_MAP)
    after["metadata"] |= {"resourceVersion": "9", "generation": 4}
    after["metadata"]["annotations"]["kit-deployer/last-updated"] = "later"
    after["status"] = {"x": 1}
    assert unified(WEB, before, after) == ""
    after["data"]["colour"] = "blue"
    assert changed_lines(unified(WEB, before, after)) == ["-  colour: red", "+  colour: blue"]


def test_new_and_gone() -> None:
    _, after = bodies(CONFIG_MAP)
    created = unified(WEB, None, after)
    assert "+++ result: Deployment shop/web" in created
    assert "+  colour: red" in created
    assert "+++ deleted: Deployment shop/web" in unified(WEB, after, None)


def test_a_secret_shows_only_that_it_changed() -> None:
    before, after = bodies(SECRET)
    before["data"]["same"] = after["data"]["same"] = "c2FtZQ=="
    after["data"]["password"] = "b3RoZXI="
    after["data"]["new"] = "bmV3"
    diff = unified(WEB, before, after)
    assert changed_lines(diff) == ["-  password: '***'", "+  password: '*** (changed)'", "+  new: '***'"]
    assert not any(value in diff for value in ("aHVudGVyMg", "b3RoZXI", "bmV3", "c2FtZQ"))


def test_credentials_in_env_are_masked_by_the_variables_name() -> None:
    text = DEPLOYMENT.replace(
        "{name: COLOUR, value: red}", "{name: COLOUR, value: red}, {name: DB_PASSWORD, value: p1}"
    )
    before, after = bodies(text)
    env = after["spec"]["template"]["spec"]["containers"][0]["env"]
    env[0]["value"], env[1]["value"] = "blue", "p2"
    env.reverse()
    diff = unified(WEB, before, after)
    assert "p1" not in diff
    assert "p2" not in diff
    assert "*** (changed)" in diff
    assert "+          value: blue" in diff or "value: blue" in diff


@pytest.mark.parametrize(
    ("key", "hidden"),
    [("password", True), ("API_KEY", True), ("authToken", True), ("tls.secretName", False), ("colour", False)],
)
def test_literals_whose_key_looks_like_a_credential(key: str, hidden: bool) -> None:
    before, after = bodies(CONFIG_MAP)
    before["data"], after["data"] = {key: "one"}, {key: "two"}
    assert ("two" not in unified(WEB, before, after)) is hidden


def test_what_the_render_says_is_secret() -> None:
    before, after = bodies(CONFIG_MAP)
    after["data"]["colour"] = "secret-canary"
    diff = unified(WEB, before, after, manifest=before, secrets=["/data/colour"])
    assert "secret-canary" not in diff
    assert "*** (changed)" in diff


FAILURE = Failure(
    message="east: Deployment shop/web failed: \x1b[31mred\x00", object=WEB, place=Place("a.yaml", 3),
    reason="ErrImagePull", pod="web-1", container="main", events=("Failed: x",), logs="last words \x07",
)  # fmt: skip


def cluster(name: str, **facts: Any) -> ClusterResult:
    return ClusterResult(name=name, server="https://x", namespace="shop", **facts)


def result(*clusters: ClusterResult, **facts: Any) -> RunResult:
    return RunResult(clusters=clusters, dry_run=False, started="2026-11-23T12:00:00+00:00", seconds=3.21, **facts)


HEALTHY = cluster(
    "west",
    objects=(
        ObjectResult(key=WEB, did="created", place=Place("a.yaml", 3), health="ready", health_why="fine"),
        ObjectResult(key=Key("", "ConfigMap", "shop", "c"), did="drifted", why="differs: data.a"),
        ObjectResult(key=Key("", "Service", "shop", "s"), did="changed", unchecked="new"),
    ),
    leftovers=(Key("", "Secret", "shop", "old"),),
    restarts=((WEB, Key("", "ConfigMap", "shop", "c")),),
    seconds=1.5,
)
FAILED = cluster(
    "zone",
    objects=(
        ObjectResult(key=WEB, did="changed", health="failed"),
        ObjectResult(key=Key("", "Service", "shop", "s"), did="not done"),
    ),
    failures=(FAILURE,),
)
NOT_BEGUN = RunResult(
    clusters=(), dry_run=True, started="T", seconds=0, error=Failure(message="a.yaml:3: wrong", exit_code=2)
)
DEAD = cluster("dead", failures=(Failure(message="dead: The API server cannot be reached", exit_code=70),))
CUT = cluster("cut", finished=False)


def test_words_and_codes() -> None:
    assert (result(HEALTHY).word, result(HEALTHY).exit_code) == ("deployed", 0)
    assert (result(HEALTHY, FAILED, DEAD).word, result(HEALTHY, FAILED, DEAD).exit_code) == ("failed", 1)
    assert (result(DEAD).word, result(DEAD).exit_code) == ("timeout", 70)
    assert (result(CUT, FAILED, interrupted=143).word, result(CUT, interrupted=143).exit_code) == ("interrupted", 143)
    assert result(cluster("a")).word == "unchanged"
    assert (NOT_BEGUN.word, NOT_BEGUN.exit_code) == ("failed", 2)
    planned = RunResult(clusters=(HEALTHY,), dry_run=True, started="", seconds=0)
    assert planned.word == "planned"


def test_the_table_begins_with_the_failures() -> None:
    rows = [line.split() for line in table(result(HEALTHY, FAILED, DEAD, CUT))]
    assert rows[0] == ["cluster", "created", "changed", "unchanged", "pruned", "failed", "seconds"]
    assert [row[0] for row in rows[1:]] == ["dead", "zone", "cut", "west"]
    assert rows[4] == ["west", "1", "1", "1", "0", "0", "1.5"]
    assert rows[2] == ["zone", "0", "0", "0", "0", "1", "0.0", "failed"]
    assert undone(FAILED) == ["Service shop/s"]


def test_what_no_server_could_check_is_told_once_a_reason() -> None:
    why = "namespace new is only created by the run"
    items = [ObjectResult(key=Key("", "ConfigMap", "new", f"c{n}"), did="created", unchecked=why) for n in range(5)]
    text = list(remarks(cluster("a", objects=tuple(items))))
    assert text == [
        f"ConfigMap new/c0, ConfigMap new/c1, ConfigMap new/c2 and 2 more: not checked by the server: {why}"
    ]


def test_a_changed_object_that_is_not_healthy_counts_once() -> None:
    assert dict(FAILED.counts) == {"created": 0, "changed": 0, "unchanged": 0, "pruned": 0, "failed": 1}


def test_the_summary_of_a_ci_page() -> None:
    strange = cluster("a|b", failures=(Failure(message="a: <script> | `x`\nsecond line"),))
    lines = summary(result(HEALTHY, strange)).splitlines()
    assert lines[0] == "### kit-deployer: deploy failed"
    assert lines[4:6] == [
        "| a\\|b | 0 | 0 | 0 | 0 | 0 | 0.0 | **failed** |",
        "| west | 1 | 1 | 1 | 0 | 0 | 1.5 |  |",
    ]
    assert lines[7] == "- a: \\<script\\> \\| \\`x\\` second line"


def test_remarks() -> None:
    text = "\n".join(remarks(HEALTHY))
    assert "Deployment shop/web still runs with the old values of ConfigMap shop/c" in text
    assert "leftovers, no longer in the folder: Secret shop/old" in text
    assert "ConfigMap shop/c differs: data.a" in text
    assert "Service shop/s: not checked by the server: new" in text


@pytest.mark.parametrize("run", [result(), result(HEALTHY, FAILED, DEAD, CUT), result(CUT, interrupted=143), NOT_BEGUN])
def test_the_document_follows_its_schema(run: RunResult) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document(run), schema)


def test_a_large_fleets_document_has_a_line_a_cluster(tmp_path: Path) -> None:
    run = large(60, 40)
    write_reports(run, tmp_path, Masker())
    text = (tmp_path / "report.json").read_text()
    assert json.loads(text) == document(run)
    assert sum(line.startswith('{"name":"region-') for line in text.splitlines()) == 60
    assert len(text.splitlines()) < 80


def test_what_is_frozen_and_what_is_kept_to_go_back_to_is_in_the_reports(tmp_path: Path) -> None:
    frozen = ObjectResult(key=Key("", "Service", "shop", "s"), did="unchanged", why="frozen: until the audit is over")
    reserve = Key("apps", "Deployment", "shop", "web-41")
    run = result(cluster("a", objects=(frozen,), reserves=(reserve,)))
    assert list(remarks(run.clusters[0])) == ["Service shop/s is frozen: until the audit is over"]
    assert document(run)["clusters"][0]["reserves"][0]["name"] == "web-41"
    write_reports(run, tmp_path, Masker())
    for name in ("report.md", "report.html"):
        text = (tmp_path / name).read_text()
        assert "is frozen: until the audit is over" in text
        assert "in reserve, to go back to: Deployment shop/web" in text


def test_the_schema_knows_every_key() -> None:
    """So that a key that is added is described."""
    schema = json.loads(SCHEMA.read_text())

    def closed(node: Any) -> Any:
        if isinstance(node, dict):
            node = {name: closed(value) for name, value in node.items()}
            if "properties" in node and "allOf" not in node:
                node["additionalProperties"] = node.get("additionalProperties", False)
            if "allOf" in node:
                node["unevaluatedProperties"] = False
                node["allOf"] = [{"properties": schema["$defs"]["key"]["properties"]}]
        return [closed(item) for item in node] if isinstance(node, list) else node

    jsonschema.Draft202012Validator(closed(schema)).validate(document(result(HEALTHY, FAILED, DEAD, CUT)))


def test_junit() -> None:
    root = ET.fromstring(junit(result(HEALTHY, FAILED, DEAD)))
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("6", "2", "2")
    not_begun = ET.fromstring(junit(NOT_BEGUN)).find("testsuite/testcase/failure")
    assert not_begun is not None
    assert not_begun.get("message") == "a.yaml:3: wrong"
    suites = {suite.get("name"): suite for suite in root}
    failure = suites["zone"].find("testcase/failure")
    assert failure is not None
    assert "last words" in str(failure.text)
    assert "\x1b" not in str(failure.get("message"))
    case = suites["west"].find("testcase")
    assert case is not None
    assert (case.get("name"), case.get("file"), case.get("line")) == ("Deployment shop/web", "a.yaml", "3")


def test_reports_are_written_whole_masked_or_refused(tmp_path: Path) -> None:
    masker = Masker()
    masker.add("last words")
    written = write_reports(result(FAILED), tmp_path / "new/reports", masker)
    assert [path.name for path in written] == ["report.json", "junit.xml", "report.md", "report.html"]
    assert all("last words" not in path.read_text() for path in written)
    assert sorted(path.name for path in written[0].parent.iterdir()) == [
        "junit.xml",
        "report.html",
        "report.json",
        "report.md",
    ]
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match=r"The report report\.json cannot be written"):
        write_reports(result(), tmp_path / "file", masker)
