# SPDX-License-Identifier: MIT
"""Requests that come while versions change: fast-rollback loses none, a rolling update none that is answered."""

from __future__ import annotations

import time
from threading import Thread
from typing import Self

from tests.cluster.desk import deployment, documents, service
from tests.cluster.town import PROBE, Town


class Traffic:
    """Requests that the node makes all the time to a Service's address, each over a connection of its own."""

    _LOOP = """\
while [ -e {flag} ]; do
  echo $(curl -sS --max-time 5 -w ' %{{http_code}}' http://{address}/ 2>&1)
  echo >> {flag}-asked
  sleep 0.02
done"""

    def __init__(self, town: Town) -> None:
        self._container = town.cluster.container
        self._flag = f"/tmp/traffic-{town.namespace}"
        address = town.get("service", "web")["spec"]["clusterIP"]
        script = self._LOOP.format(flag=self._flag, address=address)
        self._said: list[str] = []
        self._threads = [Thread(target=self._ask, args=(script,)) for _ in range(3)]

    def _ask(self, script: str) -> None:
        self._said.append(self._container.execute("sh", "-c", script, timeout=180).stdout)

    @property
    def answers(self) -> list[str]:
        """Every answer or what curl said instead; the last word is the HTTP code."""
        return [line for said in self._said for line in said.splitlines()]

    def go_on(self, requests: int) -> None:
        """Wait until so many more requests were answered."""
        wanted, end = self._asked() + requests, time.monotonic() + 60
        while self._asked() < wanted:
            assert time.monotonic() < end
            time.sleep(0.1)

    def _asked(self) -> int:
        return int(self._container.execute("sh", "-c", f"cat {self._flag}-asked 2>/dev/null | wc -l").stdout)

    @property
    def lost(self) -> list[str]:
        return [line for line in self.answers if not line.endswith(" 200")]

    def of(self, message: str) -> int:
        """How many answers were this version's."""
        return sum(f'"{message}"' in line for line in self.answers)

    def __enter__(self) -> Self:
        self._container.execute("touch", self._flag)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._container.execute("rm", "-f", self._flag)
        for thread in self._threads:
            thread.join()
        self._container.execute("rm", "-f", f"{self._flag}-asked")


def test_switching_loses_no_request(town: Town) -> None:
    """The application ends at once when it is told to: nobody but the deployer keeps it until nothing is sent to it."""
    assert town.deploy("1").code == 0
    town.answers("1")
    with Traffic(town) as traffic:
        for number in ("2", "1"):
            run = town.deploy(number)
            assert run.code == 0, run.log
            town.answers(number)
            traffic.go_on(60)
    assert run.did("shop")["Deployment/web-2"] == "deleted"
    assert "waiting until no request goes to what will be deleted" in run.log
    assert traffic.lost == []
    assert min(traffic.of("deploy 1"), traffic.of("deploy 2")) > 20


def test_a_rolling_update_loses_no_request_that_the_application_answers(town: Town) -> None:
    """Kubernetes ends pods while nodes still send requests there: the application has to answer on for a while."""

    def roll(number: str) -> None:
        content = deployment("web", town.image, container=PROBE, replicas=2, DRAIN="5", MESSAGE=f"deploy {number}")
        content = content.replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 10")
        town.desk.write("manifests/shop/web.yaml", documents(content, service("web")))
        run = town.desk.deploy()
        assert run.code == 0, run.log

    roll("1")
    town.answers("1")
    with Traffic(town) as traffic:
        traffic.go_on(60)
        roll("2")
        town.answers("2")
        traffic.go_on(60)
    assert traffic.lost == []
    assert min(traffic.of("deploy 1"), traffic.of("deploy 2")) > 20
