# SPDX-License-Identifier: MIT
"""From the event that decides it to the line that names the cause: images that do not exist, and that no image can be
called.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.deployer.ways import STEP, kubectl_of, step_env
from bench.measure import median
from bench.results import Goal, Section, table
from bench.stage import Stage
from testbed.cluster import Cluster

TITLE = "kit-deployer: a named cause"
ROUNDS = 3
LIMIT = 3.0
_PULL = "Failed to pull image"
CASES = {
    "an image that does not exist": ("registry.example.com/shop/none:1", _PULL, 2, "ErrImagePull"),
    "a name that no image can have": ("Shop/None:1", "InvalidImageName", 1, "InvalidImageName"),
}
"""The image, the event that decides and how often it has to come, what the log has to name."""

_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, labels: {{name: web}}}}
spec:
  template:
    metadata: {{labels: {{name: web}}}}
    spec: {{containers: [{{name: main, image: "{image}"}}]}}
"""


def run(stage: Stage) -> Section:
    """Each case some times; the grace period, which waits on purpose, is 0."""
    bed, folder = stage.bed(clusters=1), stage.folder()
    kubectl = kubectl_of(bed.image, folder)
    waits: dict[str, list[float]] = {name: [] for name in CASES}
    for number in range(ROUNDS):
        for case, name in enumerate(CASES):
            stage.say(f"{name}: {number + 1} of {ROUNDS}")
            waits[name].append(_wait(bed.cluster, kubectl, folder / f"{case}-{number}", name))
    rows = [(name, f"{median(found):.2f} s", f"{max(found):.2f} s") for name, found in waits.items()]
    how = (
        "A Deployment on a real node, AVAILABLE_ENABLED, no grace period: seconds from the event that decides it (the"
        " second failed pull; the refused name), as a watch of events sees it, to the error in the log."
    )
    return Section(
        [how, "", *table(["what is wrong", "median", "longest"], rows)],
        [Goal(f"{name}, longest of {ROUNDS}", max(found), LIMIT, "s") for name, found in waits.items()],
    )


def _wait(cluster: Cluster, kubectl: Path, place: Path, case: str) -> float:
    image, event, times, named = CASES[case]
    namespace = cluster.create_namespace("bench")
    for path, text in {
        f"configs/{namespace}/kubeconfig": cluster.kubeconfig(namespace, namespace, inside=False),
        f"manifests/{namespace}/web.yaml": _MANIFEST.format(image=image),
    }.items():
        (place / path).parent.mkdir(parents=True)
        (place / path).write_text(text)
    config = place / f"configs/{namespace}/kubeconfig"
    columns = "custom-columns=REASON:.reason,COUNT:.count,MESSAGE:.message"
    events = [str(kubectl), "--kubeconfig", str(config), "get", "events", "--watch", "--no-headers", "-o", columns]
    settings = {"AVAILABLE_ENABLED": "true", "AVAILABLE_HEALTH_CHECK_GRACE_PERIOD": "0", "KIT_LOG_LINES": "0"}
    decided, told = threading.Event(), threading.Event()
    at: dict[str, float] = {}

    def decide(lines: Iterable[str]) -> None:
        _note(lines, lambda line: event in line and int(line.split()[1]) >= times, at, "decided", decided)

    def tell(lines: Iterable[str]) -> None:
        _note(lines, lambda line: "error" in line and named in line, at, "told", told)

    try:
        with _lines(events, decide), _lines(STEP, tell, step_env(place, place.parent / "compiled", **settings)):
            for found in (decided, told):
                if not found.wait(120):
                    raise RuntimeError(f"{case}: no {'event' if found is decided else 'error'} came within 2 minutes")
    finally:
        cluster.delete_namespace(namespace)
    # Both are watches of one server: which one hears first is chance.
    return max(0.0, at["told"] - at["decided"])


def _note(
    lines: Iterable[str], wanted: Callable[[str], bool], at: dict[str, float], name: str, found: threading.Event
) -> None:
    for line in lines:
        if name not in at and wanted(line):
            at[name] = time.perf_counter()
            found.set()


@contextmanager
def _lines(
    command: list[str], take: Callable[[Iterable[str]], None], env: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A process whose output is taken as it comes; it is ended at the end."""
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        thread = threading.Thread(target=take, args=(process.stdout,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            process.terminate()
            thread.join(10)
