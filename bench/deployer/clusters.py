# SPDX-License-Identifier: MIT
"""Two hundred clusters at once from one process: what it takes of memory."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.deployer import manifests
from bench.deployer.ways import STEP, step_env
from bench.results import Goal, Section, table
from bench.stage import Stage
from testbed.cluster import Cluster

TITLE = "kit-deployer: two hundred clusters"
CLUSTERS = 200
DEPLOYMENTS, CONFIG_MAPS = 10, 40
LIMIT = 400.0

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {{name: {name}}}
spec:
  replicas: 0
  template:
    metadata:
      labels: {{name: {name}}}
    spec:
      containers:
      - name: main
        image: registry.example.com/shop/{name}:1
        env:
{variables}
        resources: {{limits: {{memory: 64Mi}}, requests: {{cpu: 10m}}}}
        readinessProbe: {{httpGet: {{path: /ready, port: 8080}}, periodSeconds: 1}}
"""


@dataclass(frozen=True)
class _Deploy:
    wall: float
    cpu: float
    mebibytes: float
    threads: int
    counts: str


def run(stage: Stage) -> Section:
    """Everything is new, then nothing has changed; each as one process with a turn for every cluster."""
    bed, folder = stage.bed(clusters=1), stage.folder()
    names = [f"bench-{folder.name.lower()[-6:].replace('_', '0')}-{number:03}" for number in range(CLUSTERS)]
    namespaces = "---\n".join(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n" for name in names)
    bed.cluster.kubectl("create", "-f", "-", stdin=namespaces, timeout=300)
    for name in names:
        _write(folder, bed.cluster, name)
    env = step_env(
        folder, folder / "compiled", AVAILABLE_ENABLED="true", KIT_MAX_PARALLEL=str(CLUSTERS), KIT_REQUEST_TIMEOUT="300"
    )
    found = {}
    for what in ("everything is new", "nothing has changed"):
        stage.say(f"{CLUSTERS} clusters: {what}")
        found[what] = _deploy(env)
    bed.cluster.kubectl("delete", "namespace", "--wait=false", *names, timeout=300)
    rows = [
        (what, done.counts, f"{done.wall:.0f} s", f"{done.cpu:.0f} s", done.threads, f"{done.mebibytes:.0f} MiB")
        for what, done in found.items()
    ]
    how = (
        f"{CLUSTERS} kubeconfigs with {DEPLOYMENTS} Deployments (of no pods) and {CONFIG_MAPS} ConfigMaps each, all in"
        f" one process with KIT_MAX_PARALLEL={CLUSTERS}, waiting for health. They lead to {CLUSTERS} namespaces of one"
        " API server (200 servers would not fit on a machine of this size): each has connections, TLS, discovery,"
        " lists, watches and threads of its own all the same, and that server is what takes the time. Memory is the"
        " process's highest (ru_maxrss)."
    )
    head = ["", "created, changed, failed", "wall", "cpu", "most threads", "memory"]
    peak = max(done.mebibytes for done in found.values())
    return Section([how, "", *table(head, rows)], [Goal("highest memory", peak, LIMIT, "MiB")])


def _write(folder: Path, cluster: Cluster, name: str) -> None:
    config = folder / f"configs/{name}/kubeconfig"
    config.parent.mkdir(parents=True)
    config.write_text(cluster.kubeconfig(name, name, inside=False))
    objects = manifests.write(folder / f"manifests/{name}", CONFIG_MAPS, 1)
    for number in range(DEPLOYMENTS):
        variables = "\n".join(f'        - {{name: VARIABLE_{n}, value: "{n}"}}' for n in range(10))
        text = _DEPLOYMENT.format(name=f"web-{number}", variables=variables)
        (objects / f"web-{number}.yaml").write_text(text)


def _deploy(env: Mapping[str, str]) -> _Deploy:
    """One run. Raises `RuntimeError` with its last words where it fails."""
    began, threads = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(STEP, env=dict(env), stdout=log, stderr=log)
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            threads = max(threads, _threads(process.pid))
            time.sleep(0.1)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        text = log.read()
    if process.returncode:
        raise RuntimeError(f"the deploy ended with {process.returncode}:\n{text[-2000:]}")
    last = text.strip().splitlines()[-1]
    counts = ", ".join(re.findall(r"(?:created|changed|failed)=(\d+)", last))
    wall = time.perf_counter() - began
    return _Deploy(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, threads, counts)


def _threads(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        return 0
