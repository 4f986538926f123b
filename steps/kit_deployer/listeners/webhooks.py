# SPDX-License-Identifier: MIT
"""Webhooks: tells other services of a run, beside it and within limits. Nothing here ever fails a deploy.

Requests go out one after the other in a thread of their own. An answer that may be better a moment later is asked for
once more; an address that has failed three times in a row is left alone. At the end there is a limit to the waiting.
"""

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from kit_core import http
from kit_core.console import Console
from kit_core.errors import InputError
from kit_core.network import tls_context
from kit_core.secrets import Masker, Secret
from kit_deployer.listeners.listener import Nobody
from kit_deployer.listeners.original import News, news_of, payload, progress
from kit_deployer.listeners.slack import slack
from kit_deployer.objects import Json
from kit_deployer.report.words import masked
from kit_deployer.result import ClusterResult, RunResult

LIMITS: Final = http.Limits(connect=5.0, read=5.0)
END_SECONDS: Final = 20.0
INTERRUPTED_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.5
_STRIKES: Final = 3
_ANSWER_BYTES: Final = 16_384


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where to, and what goes with it: `webhooks` get the original's payload, `slack` a message for people."""

    webhooks: tuple[str, ...] = ()
    slack: Secret | None = None
    uuid: str | None = None
    revert: bool = False
    job_url: str | None = None


@dataclass
class _Address:
    """One receiver. Its path may be a secret, so only scheme and host are ever shown."""

    url: str
    pool: Any
    strikes: int = 0
    unsent: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        return http.shown(self.url)


class Teller(Nobody):
    """A `Listener` that tells webhooks. `over` ends it."""

    def __init__(
        self,
        addresses: Addresses,
        *,
        console: Console,
        masker: Masker,
        env: Mapping[str, str],
        ca_cert: Path | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises `InputError` for an address that is none."""
        self._told = addresses
        self._console = console
        self._masker = masker
        self._clock = clock
        self._lock = threading.Lock()
        self._clusters: tuple[str, ...] = ()
        self._over: list[ClusterResult] = []
        self._begun: dict[str, None] = {}
        self._queue: queue.Queue[tuple[_Address, str, str, Json] | None] = queue.Queue()
        self._given_up = threading.Event()
        make = self._receiver(env, ca_cert)
        self._webhooks = [make(url, "AVAILABLE_WEBHOOK") for url in addresses.webhooks]
        self._slack = make(addresses.slack.reveal(), "KIT_SLACK_WEBHOOK") if addresses.slack else None
        self._thread = threading.Thread(target=self._send_all, name="kit-webhooks", daemon=True)
        self._thread.start()

    def begin(self, clusters: Sequence[str]) -> None:
        """The run begins with these clusters."""
        self._clusters = tuple(clusters)

    def began(self, name: str) -> None:
        """Tell of the first cluster on which a resource was applied."""
        with self._lock:
            if not name or name in self._begun:
                return
            self._begun[name] = None
            self._tell(News(name, "STARTED", "IN_PROGRESS"))

    def cluster_over(self, result: ClusterResult) -> None:
        """Count a cluster as done."""
        with self._lock:
            self._over.append(result)

    def over(self, result: RunResult) -> Sequence[str]:
        """Tell how it ended, and wait until that is sent; for so long as may be waited."""
        result = masked(result, self._masker)
        with self._lock:
            self._clusters = tuple(cluster.name for cluster in result.clusters) or self._clusters
            self._over = [cluster for cluster in result.clusters if cluster.finished]
            # People first: where time is short, theirs is sent.
            if self._slack is not None and result.word != "unchanged":
                self._queue.put((self._slack, "", "the result", slack(result, job_url=self._told.job_url)))
            for news in news_of(result, tuple(self._begun)):
                self._tell(news)
            self._queue.put(None)
        self._thread.join(INTERRUPTED_SECONDS if result.interrupted else END_SECONDS)
        if self._thread.is_alive():
            self._given_up.set()
            self._console.warning("the webhooks take too long: not all of them were told how the run ended")
        for address in (*self._webhooks, *([self._slack] if self._slack else [])):
            if address.unsent:
                what = ", ".join(address.unsent[:3]) + (" and more" if len(address.unsent) > 3 else "")
                self._console.warning(f"{address.shown} was not told of {what}, as it failed {_STRIKES} times before")
        return ()

    def _tell(self, news: News) -> None:
        body = payload(
            news, uuid=self._told.uuid, revert=self._told.revert, progress=progress(self._clusters, self._over)
        )
        for address in self._webhooks:
            self._queue.put((address, f"/{quote(news.name, safe='')}", f"{news.name} ({news.phase.lower()})", body))

    def _send_all(self) -> None:
        while (entry := self._queue.get()) is not None and not self._given_up.is_set():
            address, path, what, body = entry
            if address.strikes >= _STRIKES:
                address.unsent.append(what)
                continue
            why = self._send(address, path, body)
            if why:
                address.strikes += 1
                self._console.warning(f"the webhook at {address.shown} was not told of {what}: {why}")
            else:
                address.strikes = 0
                self._console.detail(f"told {address.shown} of {what}")

    def _send(self, address: _Address, path: str, body: Json) -> str:
        """Send one request, twice if need be; why it failed, or nothing."""
        why, again = self._once(address, path, body)
        if again and not self._given_up.wait(_PAUSE_SECONDS):
            why, _ = self._once(address, path, body)
        return why

    def _once(self, address: _Address, path: str, body: Json) -> tuple[str, bool]:
        import urllib3

        bare, login = http.without_login(address.url)
        url = bare.rstrip("/") + path
        headers = {"Content-Type": "application/json", "User-Agent": "kit-deployer", **login}
        try:
            answer = address.pool.request("POST", url, body=json.dumps(body), headers=headers, preload_content=False)
            told = http.beginning(answer, _ANSWER_BYTES)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return http.cause(error), True
        if 200 <= answer.status < 300:
            return "", False
        said = " ".join(told[:200].decode("utf-8", "replace").split())
        return f"it answered {answer.status} {answer.reason or ''} {said}".strip(), answer.status in http.MAY_PASS

    def _receiver(self, env: Mapping[str, str], ca_cert: Path | None) -> Callable[[str, str], _Address]:
        tls = tls_context(ca_cert)

        def make(url: str, setting: str) -> _Address:
            if not http.is_address(url):
                raise InputError(
                    "The settings are wrong",
                    why=f"{setting} holds something that is no http or https address",
                    hint="Write it as https://host/path. Nothing was touched.",
                )
            # Before anything can fail: the address of a webhook often is its password.
            for secret in http.secrets_in(url):
                self._masker.add(secret)
            return _Address(url, http.pool_for(url, env, tls=tls, limits=LIMITS))

        return make
