# SPDX-License-Identifier: MIT
"""Manifests that files can hold and Kubernetes cannot: refused with line and column, before anything is sent."""

from __future__ import annotations

import json

import pytest

from kit_deployer.server.sending import encoded
from tests.unit.deployer.desk import Desk, refused


@pytest.mark.parametrize("value", [".inf", "-.Inf", ".nan"])
def test_a_number_that_json_does_not_have(desk: Desk, value: str) -> None:
    """Sent, it would arrive as the text `Infinity`, and nobody would be told."""
    text = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {sizes: [1, %s]}\n"
    desk.write("manifests/shop/b.yaml", text % value)
    refused(desk, "b.yaml:4:19", "Widget a: spec.sizes.1 is no number that Kubernetes knows")


def test_what_only_python_takes_for_json(desk: Desk) -> None:
    text = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}, "data": {"a": %s}}'
    file = desk.write("manifests/shop/b.json", text % "NaN")
    refused(desk, "b.json:1", "data.a is no number")
    file.write_text(text % '"\\ud83d"')
    refused(desk, "b.json:1", "data.a has half a character")


@pytest.mark.parametrize("name", ["a/b", "../secrets/x", "..", "50%"])
@pytest.mark.parametrize("field", ["name", "namespace"])
def test_a_name_that_would_lead_to_another_address(desk: Desk, field: str, name: str) -> None:
    metadata = {"name": "a", field: name}
    desk.write("manifests/shop/b.yaml", f"apiVersion: v1\nkind: ConfigMap\nmetadata: {json.dumps(metadata)}\n")
    refused(desk, "b.yaml:3:", f"metadata.{field} of the ConfigMap is {name!r}")


def test_a_folder_without_manifests_is_told_of(desk: Desk) -> None:
    """A render that wrote nothing, or a mount that is empty, would end with success and nobody would look."""
    desk.write("manifests/shop/a.yaml", "").unlink()
    _, log = desk.run()
    assert f"(shop) has no manifests: folder {desk.root}/manifests/shop holds none" in log
    refused(desk, "manifests/shop holds none", "KIT_REQUIRE_ALL=true", KIT_REQUIRE_ALL="true")


def test_characters_reach_the_server_as_they_are_written() -> None:
    """It reads what is applied as YAML: a pair of surrogates is an error there, and a raw line separator a break."""
    text = "\u00e9 \u2028 \x85 \ufeff \U0001f600 \\ud83d\\ude00"
    assert encoded("delete \x7f") == b'"delete \\u007f"'
    sent = encoded({"a": text}).decode()
    assert sent == '{"a":"\\u00e9 \\u2028 \\u0085 \\ufeff \U0001f600 \\\\ud83d\\\\ude00"}'
    assert json.loads(sent) == {"a": text}


def test_a_dead_server_is_not_asked_again_after_the_runs_time(desk: Desk) -> None:
    """However patient the repetitions are: a CI's minutes are what KIT_RUN_TIMEOUT is for."""
    code, log = desk.run(KIT_RUN_TIMEOUT="1", BACKOFF_FAIL_AFTER="10", BACKOFF_INITIAL_DELAY="60000",
                         BACKOFF_MAX_DELAY="60000")  # fmt: skip
    assert code == 70
    assert "longer than KIT_RUN_TIMEOUT allows" in log
    assert "connection refused" in log
    assert "trying again" not in log


def test_a_report_that_cannot_be_written_does_not_cost_the_other(desk: Desk) -> None:
    file = desk.write("taken", "")
    code, log = desk.run(KIT_DIFF_FILE=f"{file}/diff.md", KIT_REPORT_DIR=f"{desk.root}/reports")
    assert code == 1
    assert "KIT_DIFF_FILE" in log
    assert (desk.root / "reports/report.json").exists()
