# SPDX-License-Identifier: MIT
"""`junit.xml` as its readers take it: the schema that Jenkins publishes, and what GitLab and GitHub's actions read."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from kit_deployer.report.junit import junit
from kit_deployer.result import Failure, RunResult
from tests.unit.deployer.fleets import STARTED, hostile, large, shop

# Element -> (required attributes, further ones, children). GitLab and GitHub's actions read `file` and `line`.
RULES = {
    "testsuites": ({"tests", "failures", "time"}, {"name", "errors", "skipped"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures"}, {"time", "skipped", "hostname", "errors", "timestamp"}, {"testcase"}),
    "testcase": ({"name", "classname"}, {"time", "file", "line"}, {"failure", "skipped"}),
    "failure": ({"message", "type"}, set(), set()),
    "skipped": ({"message"}, set(), set()),
}
NOT_BEGUN = RunResult(clusters=(), dry_run=True, started=STARTED, seconds=0.0, error=Failure(message="wrong"))
CUT = shop("production-us")


@pytest.mark.parametrize(
    "run",
    [
        shop("production-us"),
        hostile(),
        large(30, 8),
        NOT_BEGUN,
        RunResult(clusters=(), dry_run=False, started=STARTED, seconds=0.0),
        replace(CUT, clusters=tuple(replace(cluster, may_fail=True) for cluster in CUT.clusters)),
        replace(CUT, interrupted=143, clusters=(replace(CUT.clusters[0], finished=False, objects=()),)),
    ],
    ids=["failure", "hostile", "large", "not begun", "nothing", "allowed", "interrupted"],
)
def test_every_reader_takes_it(run: RunResult) -> None:
    root = ET.fromstring(junit(run))
    assert root.tag == "testsuites"
    for element in root.iter():
        required, further, children = RULES[element.tag]
        assert required <= set(element.attrib), (element.tag, element.attrib)
        assert set(element.attrib) <= required | further, (element.tag, element.attrib)
        assert {child.tag for child in element} <= children
        for number in {"tests", "failures", "skipped", "line"} & set(element.attrib):
            assert element.attrib[number].isdecimal()
        assert float(element.get("time", "0")) >= 0
    cases = list(root.iter("testcase"))
    for suite in root:
        assert suite.get("tests") == str(len(suite))
        assert suite.get("failures") == str(sum(case.find("failure") is not None for case in suite))
    assert root.get("tests") == str(len(cases))
    # A reader knows a test by these two: of two that share them one would be lost.
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    # A case is passed, failed or skipped, never two of them.
    assert all(not (case.findall("failure") and case.findall("skipped")) for case in cases)
    assert all(len(case.findall("skipped")) < 2 for case in cases)


def test_a_failure_that_is_allowed_is_skipped_and_told() -> None:
    """The run ends with 0, and a CI service that counts failures must not make it red."""
    failed = shop("production-us")
    allowed = replace(failed, clusters=tuple(replace(cluster, may_fail=True) for cluster in failed.clusters))
    assert (failed.exit_code, allowed.exit_code) == (1, 0)
    before, after = ET.fromstring(junit(failed)), ET.fromstring(junit(allowed))
    assert int(before.get("failures", "")) > 0
    assert after.get("failures") == "0"
    assert not list(after.iter("failure"))
    for was in before.iter("testcase"):
        if (failure := was.find("failure")) is not None:
            (now,) = [case for case in after.iter("testcase") if case.get("name") == was.get("name")
                      and case.get("classname") == was.get("classname")]  # fmt: skip
            (skipped,) = now.findall("skipped")
            assert skipped.get("message") == f"failed, and may: {failure.get('message')}"
            assert skipped.text == failure.text
