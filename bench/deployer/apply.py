# SPDX-License-Identifier: MIT
"""A thousand objects: applied for the first time, changed, and as they are; on loopback and with a longer way."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.deployer.ways import APPLYSET, FLOOR, HELM, KIT, KUBECTL, PLAIN, Ways, kubectl_of
from bench.measure import Run, median
from bench.peers import programs
from bench.results import Goal, Section, table
from bench.stage import Stage
from testbed.cluster import Cluster
from testbed.latency import delayed

TITLE = "kit-deployer: a thousand objects"
COUNT, MILLISECONDS = 1_000, 20
NEAR, FAR = "loopback", f"{MILLISECONDS} ms round trip"
ROUNDS: Mapping[str, int] = {NEAR: 5, FAR: 2}
FIRST, CHANGE, SAME = "first apply", "a change of each", "nothing changed"
_VERSIONS: Mapping[str, int] = {FIRST: 1, CHANGE: 2, SAME: 2}
_WAYS = (PLAIN, FLOOR, KIT, KUBECTL, APPLYSET, HELM)
_ALWAYS = (PLAIN, FLOOR, KIT, KUBECTL)
_FIXED_REQUESTS = 12


@dataclass
class _Found:
    """Runs by where, what and way; requests of kit's last run where nothing had changed."""

    runs: dict[tuple[str, str, str], list[Run]] = field(default_factory=dict)
    requests: int = 0

    def seconds(self, where: str, what: str, way: str, start_up: Mapping[str, float]) -> list[float]:
        """Wall time of each round, without the program's start-up."""
        return [run.wall - start_up[way] for run in self.runs.get((where, what, way), [])]


def run(stage: Stage) -> Section:
    """All ways in turns, each round in fresh namespaces."""
    bed = stage.bed(clusters=1)
    folder = stage.folder()
    kubectl, helm = kubectl_of(bed.image, folder), programs(folder, stage.say).helm
    found = _Found()
    with delayed(bed.id, f"{bed.cluster.name}:6443", milliseconds=MILLISECONDS) as far:
        near = Ways(bed.cluster, bed.cluster.port, COUNT, folder, kubectl, helm)
        start_up = {way: near.start_up(way) for way in _WAYS}
        for where, port in ((NEAR, bed.cluster.port), (FAR, far)):
            ways = Ways(bed.cluster, port, COUNT, folder, kubectl, helm)
            for number in range(ROUNDS[where]):
                stage.say(f"{where}: round {number + 1} of {ROUNDS[where]}")
                # The two that may take minutes run once; their numbers are no goal.
                _round(ways, found, where, _WAYS if number == 0 else _ALWAYS)
    return _section(found, start_up)


def _round(ways: Ways, found: _Found, where: str, those: tuple[str, ...]) -> None:
    places = {way: f"bench-{secrets.token_hex(4)}" for way in those}
    for namespace in places.values():
        ways.cluster.kubectl("create", "namespace", namespace)
    for what, version in _VERSIONS.items():
        for way, namespace in places.items():
            if way in {PLAIN, FLOOR} and what == SAME:
                continue  # it compares nothing: what has not changed it would send again
            before = requests_of_kit(ways.cluster) if what == SAME else 0
            done = ways.run(way, namespace, version)
            found.runs.setdefault((where, what, way), []).append(done)
            if way == KIT and what == SAME:
                found.requests = requests_of_kit(ways.cluster) - before
    ways.cluster.kubectl("delete", "namespace", *places.values(), "--timeout=300s", timeout=330)


def requests_of_kit(cluster: Cluster) -> int:
    """How many requests of kit-deployer the API server has answered, by its audit log."""
    pattern = '"stage":"ResponseComplete".*"userAgent":"kit-deployer'
    return int(cluster.container.execute("grep", "-c", pattern, "/var/log/kit/audit.log", check=False).stdout or 0)


def _section(found: _Found, start_up: Mapping[str, float]) -> Section:
    def share(where: str, what: str, other: str) -> float:
        """kit's time as a share of the other's, round by round: both met the machine in the same state."""
        ours, theirs = (found.seconds(where, what, way, start_up) for way in (KIT, other))
        return median([one / two for one, two in zip(ours, theirs, strict=False)])

    def cell(where: str, what: str, way: str) -> str:
        seconds = found.seconds(where, what, way, start_up)
        return f"{median(seconds):.2f} s" if seconds else "-"

    head = ["way", "start-up", *(f"{what}, {where}" for where in (NEAR, FAR) for what in _VERSIONS)]
    rows = [
        (way, f"{start_up[way]:.2f} s", *(cell(where, what, way) for where in (NEAR, FAR) for what in _VERSIONS))
        for way in _WAYS
    ]
    goals = []
    for where in (NEAR, FAR):
        goals += [
            Goal(
                f"{what}, {where}, as a multiple of the same patches over bare connections",
                share(where, what, FLOOR),
                1.5,
            )
            for what in (FIRST, CHANGE)
        ]
    goals += [
        Goal(f"{what}, {FAR}, as a share of kubectl's", share(FAR, what, KUBECTL), 1 / 8) for what in (FIRST, CHANGE)
    ]
    goals += [
        Goal(f"{SAME}, {where}, as a share of kubectl's", share(where, SAME, KUBECTL), limit)
        for where, limit in ((NEAR, 1 / 5), (FAR, 1 / 20))
    ]
    # One kind in one namespace; a list of a thousand is two pages, of which the second is not counted.
    goals.append(Goal(f"requests, {SAME}, two pages counted once", found.requests - 1, 2 + _FIXED_REQUESTS))
    how = (
        f"{COUNT:,} ConfigMaps, a file each, by {', '.join(f'{n} rounds ({w})' for w, n in ROUNDS.items())} in turns,"
        " each in fresh namespaces of one API server that shares the machine; the last two ways in one round only."
        " Medians of wall time without the program's start-up, which is what it takes to tell its version. The round"
        " trip is toxiproxy's; the bare connections are 20 threads that send PATCHes and do nothing else, not even read"
        " files; in the first row without the labels and annotations of a deploy, which the server has to keep as well."
    )
    return Section([how, "", *table(head, rows)], goals)
