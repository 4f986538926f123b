# SPDX-License-Identifier: MIT
"""When each thing happened, as bars of a timeline: whole seconds of a run become thousandths of its width."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kit_deployer.report.matrix import outcome
from kit_deployer.report.table import by_outcome
from kit_deployer.result import ClusterResult, ObjectResult, RunResult

WIDTH: Final = 1000
_DETAILED: Final = 12
_OBJECTS: Final = 40


@dataclass(frozen=True)
class Bar:
    """A part of a line: where it begins, how wide it is, and what it stands for."""

    start: int
    width: int
    word: str


@dataclass(frozen=True)
class Line:
    """A cluster, or an object of one: its name, when it was over (seconds after the beginning), and its bars."""

    name: str
    over: float
    word: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Detail:
    """The objects of one cluster that took part, in the order in which they were over."""

    cluster: str
    seconds: float
    lines: tuple[Line, ...]
    left_out: int


def lines(result: RunResult) -> list[Line]:
    """A line a cluster, in the order of the table."""
    total = _total(result)
    return [_line(cluster, total) for cluster in by_outcome(result.clusters)]


def details(result: RunResult) -> list[Detail]:
    """What took the time: of clusters that failed, then of those that took longest."""
    failed = [cluster for cluster in by_outcome(result.clusters) if cluster.exit_code]
    slow = sorted(result.clusters, key=lambda cluster: (-cluster.seconds, cluster.name))
    chosen = list({cluster.name: cluster for cluster in (*failed[: _DETAILED // 2], *slow)}.values())[:_DETAILED]
    return [detail for detail in map(_detail, chosen) if detail.lines]


def ticks(result: RunResult) -> list[float]:
    """Five moments of the run, in seconds, from its beginning to its end."""
    return [_total(result) * part / 4 for part in range(5)]


def _total(result: RunResult) -> float:
    ends = (cluster.begun + cluster.seconds for cluster in result.clusters)
    return max(result.seconds, max(ends, default=0.0), 0.001)


def _line(cluster: ClusterResult, total: float) -> Line:
    begun, end = cluster.begun, cluster.begun + cluster.seconds
    done = begun + max(_times(item.done_at for item in cluster.objects), default=0.0)
    decided = begun + max(_times(item.healthy_at for item in cluster.objects), default=0.0)
    word = "failed" if cluster.exit_code else "unfinished" if not cluster.finished else "ended"
    marks = [(begun, min(done, end), "applying"), (min(done, end), min(max(done, decided), end), "waiting")]
    last = "failed" if cluster.exit_code else "rest"
    marks.append((min(max(done, decided), end), end, last))
    bars = [_bar(start, stop, total, what) for start, stop, what in marks if stop > start]
    if cluster.exit_code:
        # Where it ended is to be seen, however short the last part was.
        bars.append(_bar(max(begun, end - total / 100), end, total, "failed"))
    return Line(cluster.name, end, word, tuple(bars))


def _detail(cluster: ClusterResult) -> Detail:
    took = [item for item in cluster.objects if item.done_at is not None or item.health not in {"", "ready"}]
    took.sort(key=lambda item: (_over(item), str(item.key)))
    total = max([cluster.seconds, *map(_over, took), 0.001])
    shown = took[-_OBJECTS:]
    return Detail(cluster.name, cluster.seconds, tuple(_object(item, total) for item in shown), len(took) - len(shown))


def _object(item: ObjectResult, total: float) -> Line:
    done, over = item.done_at or 0.0, _over(item)
    bars = []
    if item.done_at is not None:
        bars.append(_bar(max(0.0, done - item.seconds), done, total, "applying"))
    if over > done:
        bars.append(_bar(done, over, total, "failed" if outcome(item) == "failed" else "waiting"))
    return Line(str(item.key), over, outcome(item), tuple(bars))


def _over(item: ObjectResult) -> float:
    return max(_times((item.done_at, item.healthy_at)), default=0.0)


def _times(moments: Iterable[float | None]) -> list[float]:
    return [moment for moment in moments if moment is not None]


def _bar(start: float, stop: float, total: float, word: str) -> Bar:
    left = min(WIDTH - 3, round(start / total * WIDTH))
    return Bar(left, max(3, min(WIDTH - left, round((stop - start) / total * WIDTH))), word)
