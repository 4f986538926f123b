# SPDX-License-Identifier: MIT
"""A run that is ended in the middle of its writing, and the run after it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop

CLUSTERS = 20
RESOURCES = 25


@pytest.fixture
def fleet(tmp_path: Path) -> Workshop:
    """A fleet that takes a while to write, rendered once."""
    workshop = Workshop(tmp_path)
    workshop.template(CONFIG_MAP + "data: {value: '{{{value}}}'}\n")
    for number in range(RESOURCES):
        workshop.template(CONFIG_MAP + "data: {value: '{{{value}}}'}\n", name=f"r{number}/r{number}.mustache")
    workshop.resources("".join(f"r{number}: {{file: ./r{number}/r{number}.mustache}}\n" for number in range(RESOURCES)))
    for number in range(CLUSTERS):
        workshop.cluster(f"c{number}")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nvalue: old\n"})
    assert workshop.run().code == 0
    return workshop


def start(fleet: Workshop) -> "subprocess.Popen[bytes]":
    env = {"PYTHONPATH": os.pathsep.join(sys.path), "CONF": "kit.yaml"}
    return subprocess.Popen(
        [sys.executable, "-m", "kit_deploymentizer"], cwd=fleet.folder, env=env, stderr=subprocess.PIPE
    )


def wait_until_some_are_written(fleet: Workshop, process: "subprocess.Popen[bytes]") -> None:
    """Until the first of the new files is in its place."""
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        index = json.loads((fleet.folder / "generated/.kit/c0.json").read_text())
        if not index["complete"]:
            return
        time.sleep(0.001)
    pytest.fail("the run ended, or wrote nothing for a minute")


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_after_one_that_was_ended_reaches_the_same_output(fleet: Workshop, ending: signal.Signals) -> None:
    fleet.write({"base-var.yaml": "kind: ResourceConfig\nvalue: new\n"})
    process = start(fleet)
    wait_until_some_are_written(fleet, process)
    process.send_signal(ending)
    log = process.communicate(timeout=60)[1].decode()
    if process.returncode == 0:
        pytest.fail(f"the run was over before it was ended: {log}")
    assert process.returncode == (-signal.SIGKILL if ending is signal.SIGKILL else 128 + signal.SIGTERM)
    # No file is half written, and what is not whole says so.
    values = {name: text.rsplit("value: ", 1)[1] for name, text in fleet.output().items()}
    assert set(values.values()) <= {"'old'}\n", "'new'}\n"}
    for number in range(CLUSTERS):
        mixed = {value for name, value in values.items() if name.startswith(f"c{number}/")}
        assert len(mixed) == 1 or fleet.index(f"c{number}")["complete"] is False
    after = fleet.run()
    assert after.code == 0, after.log
    assert all("value: 'new'" in text for text in after.files.values())
    assert len(after.files) == (CLUSTERS + 2) * RESOURCES
    assert all(fleet.index(f"c{number}")["complete"] is True for number in range(CLUSTERS))
    assert [path.name for path in (fleet.folder / "generated/.kit").iterdir() if path.is_dir()] == []
