# SPDX-License-Identifier: MIT
"""Fifty pipelines that end at the same second: of different services, then of one."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from bench.image_deployer import step
from bench.image_deployer.repository import image_of, repository_of, service
from bench.measure import median
from bench.results import Goal, Section, table
from bench.stage import Stage
from testbed.git import GitRepository

TITLE = "kit-image-deployer: fifty writers at once"
WRITERS, FILES, COMMITS = 50, 20_000, 10_000
LIMIT = 60.0


def run(stage: Stage) -> Section:
    """Wall time until all have ended, and that none of them was lost."""
    bed, cache = stage.bed(), stage.folder()
    stage.say(f"making {FILES:,} files and {COMMITS:,} commits")
    rows, goals = [], []
    with repository_of(bed, "writers", files=FILES, commits=COMMITS) as repository:
        step.update(repository, cache, service(999), 900_000)  # compiles what the fifty import
        for what, services in (
            ("different services", [service(number) for number in range(WRITERS)]),
            ("one service, by number of build", [service(500)] * WRITERS),
        ):
            before = repository.head()
            wall, each, outputs = _at_once(repository, cache, services)
            landed = _check(repository, before, services, outputs)
            races = sum(output.count("someone else pushed first") for output in outputs)
            rows.append((what, f"{wall:.1f} s", f"{median(each):.1f} s", landed, WRITERS - landed, races))
            stage.say(" | ".join(map(str, rows[-1])))
            goals.append(Goal(f"{WRITERS} writers, {what}", wall, LIMIT, "s"))
    how = (
        f"{WRITERS} processes started together on one branch of a repository of {FILES:,} files; the git server shares"
        " the machine. Every commit of theirs is in the branch once, its history is linear, and each file holds its"
        " last word (else the bench fails)."
    )
    lines = [
        how,
        "",
        *table(["writers of", "all ended after", "median of one", "landed", "superseded", "races lost"], rows),
    ]
    return Section(lines, goals)


def _at_once(repository: GitRepository, cache: Path, services: Sequence[str]) -> tuple[float, list[float], list[str]]:
    began = time.perf_counter()
    running = []
    for number, name in enumerate(services):
        env = step.settings(repository, cache, name, number + 2, KIT_BUILD_NUMBER=str(number), KIT_BUILD_SOURCE="bench")
        running.append(
            subprocess.Popen(step.COMMAND, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
    outputs: list[str] = [""] * len(running)
    each: list[float] = []
    waiting = dict(enumerate(running))
    while waiting:
        for number, process in list(waiting.items()):
            if process.poll() is not None:
                each.append(time.perf_counter() - began)
                outputs[number] = process.communicate()[0]
                del waiting[number]
        time.sleep(0.02)
    for process, output in zip(running, outputs, strict=True):
        if process.returncode != 0:
            raise RuntimeError(f"a writer ended with {process.returncode}:\n{output}")
    return each[-1], each, outputs


def _check(repository: GitRepository, before: str, services: Sequence[str], outputs: Sequence[str]) -> int:
    """How many landed. Raises `RuntimeError` where one is lost or doubled."""
    told = [found.group(1) for output in outputs if (found := re.search(r"result=updated .*commit=(\w+)", output))]
    superseded = sum("result=superseded" in output for output in outputs)
    there = repository.git("rev-list", "--first-parent", f"{before}..master").split()
    if sorted(told) != sorted(there) or len(told) + superseded != len(outputs):
        raise RuntimeError(f"{len(told)} landed and {superseded} were superseded, but {len(there)} commits are there")
    if repository.git("rev-list", "--min-parents=2", f"{before}..master"):
        raise RuntimeError("the history is not linear")
    last = {name: image_of(name, number + 2) for number, name in enumerate(services)}
    for name, image in last.items():
        text = repository.read(f"images/{name}/master.yaml")
        if f"image: {image}\n" not in text:
            raise RuntimeError(f"{name} should hold {image} and holds {text}")
    return len(told)
