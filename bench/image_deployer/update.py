# SPDX-License-Identifier: MIT
"""One update in a repository of 20,000 files and 10,000 commits, beside git doing the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench.image_deployer import step
from bench.image_deployer.counter import Counter
from bench.image_deployer.repository import repository_of, service
from bench.image_deployer.scripts import FILTERED, SHALLOW, run_script
from bench.measure import Run, in_turns, median
from bench.results import Goal, Section, table
from bench.stage import Stage

TITLE = "kit-image-deployer: one update"
FILES, COMMITS, ROUNDS = 20_000, 10_000, 9
STEP, FILTER, CLONE = "kit-image-deployer", "git, --filter=tree:0 --depth=1 --no-checkout", "git clone --depth 1"


def run(stage: Stage) -> Section:
    """Wall and processor time of the three in turns, and the bytes of one run of each."""
    bed, cache = stage.bed(), stage.folder()
    stage.say(f"making {FILES:,} files and {COMMITS:,} commits")
    with repository_of(bed, "update", files=FILES, commits=COMMITS) as repository:
        ways: dict[str, Callable[..., Run]] = {
            STEP: partial(step.update, repository, cache),
            FILTER: partial(run_script, FILTERED, repository),
            CLONE: partial(run_script, SHALLOW, repository),
        }
        # Each run writes another service's file: nothing is left of one that would help the next.
        sides = {
            name: (lambda number, way=way, side=side: way(service(number * len(ways) + side), 100_000 + number))
            for side, (name, way) in enumerate(ways.items())
        }
        runs = in_turns(sides, ROUNDS)
        traffic = {}
        for side, (name, way) in enumerate(ways.items()):
            with Counter(repository.url_outside) as counter:
                way(service(900 + side), 200_000, url=counter.url)
                traffic[name] = counter
    rows = [
        (
            name,
            f"{median([run.wall for run in runs[name]]):.2f} s",
            f"{min(run.wall for run in runs[name]):.2f} s",
            f"{median([run.cpu for run in runs[name]]):.2f} s",
            f"{traffic[name].sent:,}",
            f"{traffic[name].received:,}",
            traffic[name].connections,
        )
        for name in ways
    ]
    # Pair by pair: the two runs of a round met the machine in the same state.
    ratio = {
        other: median([ours.wall / theirs.wall for ours, theirs in zip(runs[STEP], runs[other], strict=True)])
        for other in (FILTER, CLONE)
    }
    how = f"{FILES:,} files, {COMMITS:,} commits, smart http without latency; {ROUNDS} rounds in turns, each from"
    return Section(
        [
            f"{how} the start of the process (or of `git clone`) to the end of the push.",
            "",
            *table(["way", "wall, median", "wall, min", "cpu, median", "sent", "received", "connections"], rows),
        ],
        [
            Goal("wall time, as a share of git's with a filter", ratio[FILTER], 1),
            Goal("wall time, as a share of clone --depth 1, commit, push", ratio[CLONE], 0.1),
        ],
    )
