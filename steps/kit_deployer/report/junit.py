# SPDX-License-Identifier: MIT
"""`junit.xml`: a suite a cluster, a case an object, so that CI services show a deploy as they show tests.

What failed on a cluster that may fail is skipped, with the failure as its message: a CI service that counts failures
must come to the same end as the run.
"""

import re
from typing import Final
from xml.etree import ElementTree as ET

from kit_deployer.objects import Key
from kit_deployer.result import ClusterResult, Failure, ObjectResult, RunResult

_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(result: RunResult) -> str:
    """The XML text."""
    root = ET.Element("testsuites", name="kit-deployer", time=_seconds(result.seconds))
    for cluster in result.clusters:
        _suite(root, cluster)
    if result.error is not None:
        suite = ET.SubElement(root, "testsuite", name="kit-deployer", tests="1", failures="1", skipped="0")
        _add_failures(ET.SubElement(suite, "testcase", classname="kit-deployer", name="input"), [result.error])
    for attribute in ("tests", "failures", "skipped"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + _clean(ET.tostring(root, encoding="unicode")) + "\n"


def _suite(root: ET.Element, cluster: ClusterResult) -> None:
    by_object: dict[Key | None, list[Failure]] = {}
    for failure in cluster.failures:
        by_object.setdefault(failure.object, []).append(failure)
    suite = ET.SubElement(root, "testsuite", name=cluster.name, time=_seconds(cluster.seconds), hostname=cluster.server)
    cases = [_case(suite, cluster, item, by_object.pop(item.key, [])) for item in cluster.objects]
    rest = [failure for failures in by_object.values() for failure in failures]
    if rest or not cases:
        cases.append(ET.SubElement(suite, "testcase", classname=cluster.name, name="cluster"))
        _add_outcome(cases[-1], cluster, rest)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


def _case(suite: ET.Element, cluster: ClusterResult, item: ObjectResult, failures: list[Failure]) -> ET.Element:
    case = ET.SubElement(suite, "testcase", classname=cluster.name, name=str(item.key), time=_seconds(item.seconds))
    if item.place:
        case.set("file", item.place.file)
        case.set("line", str(item.place.line or 1))
    _add_outcome(case, cluster, failures)
    if not failures and item.did == "not done":
        ET.SubElement(case, "skipped", message=item.why or "not done")
    if not failures and not item.checked:
        ET.SubElement(case, "skipped", message=f"not checked by the server: {item.unchecked}")
    return case


def _add_outcome(case: ET.Element, cluster: ClusterResult, failures: list[Failure]) -> None:
    if not cluster.may_fail:
        _add_failures(case, failures)
    elif failures:
        message = "failed, and may: " + " ".join(failure.message for failure in failures)
        ET.SubElement(case, "skipped", message=message).text = "\n".join(map(_text, failures))


def _add_failures(case: ET.Element, failures: list[Failure]) -> None:
    for failure in failures:
        element = ET.SubElement(case, "failure", message=failure.message, type=failure.reason or "Error")
        element.text = _text(failure)


def _text(failure: Failure) -> str:
    return "\n".join([failure.message, *failure.events, *([failure.logs] if failure.logs else [])])


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _seconds(value: float) -> str:
    return f"{value:.3f}"
