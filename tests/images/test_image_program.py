# SPDX-License-Identifier: MIT
"""What `--help` and `--version` say in the images, and how soon."""

from __future__ import annotations

import json
from importlib import import_module

import pytest

from kit_core.declare import declared
from tests.images.running import Image

# Processor time of the quickest of some runs: what the step itself takes, whatever else the machine does meanwhile.
MEASURE = """
import json, resource, subprocess, sys
def spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
times = []
for _ in range(7):
    before = spent()
    subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
    times.append(spent() - before)
print(json.dumps(times))
"""

THREADS = """
from threading import Thread
def spin():
    while True: pass
for _ in range(8): Thread(target=spin, daemon=True).start()
"""


@pytest.mark.parametrize(("option", "limit"), [("--version", 0.3), ("--help", 0.4)])
def test_it_starts_quickly(image: Image, option: str, limit: float) -> None:
    times = json.loads(image.run("python3", "-c", MEASURE, image.name, option).out)
    assert min(times) < limit, times


def test_help_lists_every_setting_with_variables_and_default(image: Image) -> None:
    text = image.run("--help").out
    words = set(text.replace(",", " ").split())
    step = import_module(f"{image.package}.cli").STEP
    for item in declared(step.settings):
        assert item.option in words, item.field
        assert set(item.variables) <= words, item.field
        if item.default_text:
            assert item.default_text in text, item.field
        assert " ".join(item.help.split())[:30] in " ".join(text.split()), item.field
    for command in step.commands:
        assert command.name in words


def test_a_wrong_option_is_one_sentence(image: Image) -> None:
    done = image.run("--no-such-option")
    assert done.code == 2
    assert "--no-such-option" in done.err
    assert "--help" in done.err
    assert "Traceback" not in done.err


def test_it_ends_in_order_while_threads_still_run(image: Image) -> None:
    done = image.run("python3", "-c", THREADS)

    assert (done.code, done.text) == (0, "")
