# SPDX-License-Identifier: MIT
"""What people, CI services and programs see of a real run: on a terminal, in a log, as JSON, in the reports."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from kit_core.console import Console
from kit_core.entry import main
from kit_deployer.cli import STEP
from tests.cluster.desk import QUICK, SCHEMA, Desk, config_map, deployment, documents

STEPS = Path(__file__).parents[2] / "steps"
READY = "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"
CRASH = (
    """no database
::set-output name=hacked::yes
  ::error::hacked
##vso[task.complete result=Succeeded]
##teamcity[message text='hacked']
\x1b[2J\x1b]0;hacked\x07red \x1b[31malert
<script>alert(1)</script> <img src=x onerror=alert(1)> [link](javascript:alert(1)) @everyone | `code` ```
section_start:1:hacked\r\x1b[0Khacked
]]> &amp; \u202e reversed \ufffe
"""
    + "long " * 2000
)


def failing(image: str) -> str:
    """A Job that says all of that and fails at once."""
    container = {"name": "main", "image": image, "env": [{"name": "CRASH", "value": CRASH}]}
    pod = {"restartPolicy": "Never", "containers": [container]}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"}}
    return json.dumps({**body, "spec": {"backoffLimit": 0, "template": {"spec": pod}}})


def slow(image: str) -> str:
    return deployment("web", image, container=READY, SLOW_START="3")


def on_a_terminal(desk: Desk, **env: str) -> tuple[int, str]:
    """Exit code and everything that a terminal of 100 columns was sent."""
    here, there = pty.openpty()
    settings = {**desk.settings, **QUICK, "PYTHONPATH": str(STEPS), "TERM": "xterm", **env}
    process = subprocess.Popen([sys.executable, "-m", "kit_deployer"], env=settings, stderr=there, stdout=there)
    os.close(there)
    sent = b""
    # A terminal whose last program has ended is an error to read on Linux, and an end elsewhere.
    with contextlib.suppress(OSError):
        while piece := os.read(here, 65536):
            sent += piece
    os.close(here)
    return process.wait(30), sent.decode("utf-8", "replace")


def remaining(sent: str) -> list[str]:
    """The lines that stay on the screen: each block that was drawn over is taken away again, as a terminal does."""
    screen: list[str] = []
    for part in re.split(r"(\x1b\[\d+A\r\x1b\[J)", sent):
        if up := re.fullmatch(r"\x1b\[(\d+)A\r\x1b\[J", part):
            del screen[-int(up[1]) :]
            continue
        screen += re.sub(r"\x1b\[\d*m", "", part).replace("\r", "").splitlines()
    return screen


def test_a_terminal_shows_what_is_awaited_and_keeps_only_what_happened(shop: Desk, image: str) -> None:
    shop.write("manifests/shop/web.yaml", slow(image))
    code, sent = on_a_terminal(shop)
    assert code == 0, sent
    assert re.search(r"\x1b\[2m\[shop\] .*Deployment \S+/web: [^\x1b]*\(\d+ s\)", sent), "who waits for what, how long"
    screen = remaining(sent)
    assert not [line for line in screen if re.search(r"\(\d+ s\)$", line)], "what was awaited is gone"
    assert screen[-1].startswith("result=deployed"), screen[-5:]
    assert any(re.match(r" *shop +1 +0 +0 +0 +0 +\d", line) for line in screen), "the table"


def test_in_ci_nothing_moves_and_the_log_never_falls_silent(
    shop: Desk, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("manifests/shop/web.yaml", slow(image))
    code, sent = on_a_terminal(shop, CI="true", DRY_RUN="true")
    assert code == 0
    assert "\x1b" not in sent
    defaults = Console.__init__.__kwdefaults__ or {}
    assert defaults["heartbeat_seconds"] < 30
    monkeypatch.setitem(defaults, "heartbeat_seconds", 0.3)
    run = shop.deploy(CI="true")
    beats = [line for line in run.log.splitlines() if re.match(r"\[shop\] .*web: \d of \d", line)]
    assert len(beats) > 2, run.log


def test_what_containers_say_is_text_everywhere(shop: Desk, image: str, tmp_path: Path) -> None:
    """A log line that a CI took for a command could change its outputs, its badges, or the page that people open."""
    for file in ("output", "summary"):
        (tmp_path / file).touch()
    shop.write("manifests/shop/web.yaml", failing(image))
    github = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    run = shop.deploy(GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(shop.root), **github)
    assert run.code == 1, run.log
    assert "no database" in run.log
    assert "hacked" in run.log
    assert "\x1b" not in run.log
    ours = [line for line in run.log.splitlines() if line.lstrip().startswith("::")]
    assert {line.lstrip().split("::")[1].split()[0] for line in ours} <= {"group", "endgroup", "error", "warning"}
    assert not [line for line in ours if "hacked" in line.partition("::error")[0]]
    assert "##vso[" not in run.log
    assert "##teamcity[" not in run.log
    marked = [line for line in ours if line.startswith("::error file=manifests/shop/web.yaml,line=1")]
    assert len(marked) == 1, ours
    assert (tmp_path / "output").read_text().splitlines()[0] == "result=failed"
    summary = (tmp_path / "summary").read_text()
    assert "| shop | 0 | 0 | 0 | 0 | 1 |" in summary
    assert "<script" not in summary
    reports = shop.root / "reports"
    page, markdown = (reports / "report.html").read_text(), (reports / "report.md").read_text()
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\x1b" not in page + markdown
    # Beside the block that shows the log as it is, no line of it is anywhere.
    block = re.search(r"(?ms)^(`{4,})\n.*?^\1$", markdown)
    assert block, markdown
    assert "<script>" in block[0]
    assert "<script>" not in markdown.replace(block[0], "")
    logs = ET.parse(reports / "junit.xml").findtext(".//failure") or ""
    assert "]]> &amp;" in logs
    assert "\u202e" not in page


def test_the_json_log_is_one_object_a_line_with_stable_keys(shop: Desk, image: str) -> None:
    shop.write("manifests/shop/web.yaml", documents(config_map("settings"), failing(image)))
    log, out = io.StringIO(), io.StringIO()
    code = main(STEP, [], {**shop.settings, **QUICK, "KIT_LOG_FORMAT": "json"}, stdout=out, stderr=log)
    assert code == 1
    assert out.getvalue() == ""
    entries = [json.loads(line) for line in log.getvalue().splitlines()]
    assert all({"time", "level", "message"} <= set(entry) for entry in entries)
    assert {entry["level"] for entry in entries} <= {
        "info", "success", "warning", "error", "foreign", "group", "result",
    }  # fmt: skip
    assert {entry.get("cluster") for entry in entries} == {None, "shop"}
    created = next(entry for entry in entries if entry.get("did") == "created")
    assert re.fullmatch(r"ConfigMap \S+/settings", created["object"])
    failed = next(entry for entry in entries if entry["level"] == "error")
    assert (failed["reason"], failed["exit_code"], failed["line"]) == ("BackoffLimitExceeded", 1, 3)
    assert failed["file"].endswith("manifests/shop/web.yaml")
    assert entries[-1]["result"] == "failed"
    assert entries[-1]["message"] == "result=failed"


def test_the_reports_of_a_run_that_was_interrupted_are_whole(shop: Desk, image: str) -> None:
    shop.write("manifests/shop/web.yaml", deployment("web", image, container=READY, SLOW_START="60"))
    settings = {**shop.settings, **QUICK, "PYTHONPATH": str(STEPS)}
    with subprocess.Popen(
        [sys.executable, "-m", "kit_deployer"], env=settings, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        log = ""
        while "created Deployment" not in log:
            log += (line := process.stderr.readline())
            assert line, log
        process.terminate()
        log += process.stderr.read()
        assert process.wait(20) == 143, log
    assert "result=interrupted" in log
    reports = shop.root / "reports"
    report = json.loads((reports / "report.json").read_text())
    SCHEMA.validate(report)
    assert (report["result"], report["clusters"][0]["finished"]) == ("interrupted", False)
    assert ET.parse(reports / "junit.xml").getroot().get("tests") == "1"
    assert "interrupted" in (reports / "report.md").read_text().splitlines()[0]
    assert "deploy interrupted" in (reports / "report.html").read_text()
