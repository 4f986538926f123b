# SPDX-License-Identifier: MIT
"""The floor: the same objects as bare requests over 20 connections, without reading, comparing or telling anything."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import ssl
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.deployer.manifests import body, name_of
from bench.measure import Run
from kit_deployer.desired.annotate import Writing, declare, stamp
from kit_deployer.objects import Json, Key, Manifest, Place
from testbed.kubeconfig import Credentials

CONNECTIONS = 20
_APPLY = {"Content-Type": "application/apply-patch+yaml", "User-Agent": "kit-bench"}


def patch_all(
    port: int, credentials: Credentials, namespace: str, count: int, version: int, *, stamped: bool = False
) -> Run:
    """Apply `count` objects by server-side apply; the time from the first connection to the last answer.

    With `stamped` they carry the labels and annotations that kit-deployer writes, which the server has to keep too.

    Raises `RuntimeError` for an answer that is no success.
    """
    context = _context(credentials)
    place = f"/api/v1/namespaces/{namespace}/configmaps"
    todo = [
        (f"{place}/{name_of(number)}?fieldManager=bench&force=true", json.dumps(content).encode())
        for number, content in enumerate(_contents(namespace, count, version, stamped=stamped))
    ]
    numbers = itertools.count()  # taking the next one is a single step of the interpreter
    wrong: list[str] = []

    def work() -> None:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
        while (number := next(numbers)) < count and not wrong:
            path, data = todo[number]
            connection.request("PATCH", path, data, _APPLY)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                wrong.append(f"{path}: {answer.status}, {text[:300]!r}")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    cpu, began = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(wrong[0])
    return Run(time.perf_counter() - began, time.process_time() - cpu, "")


def _contents(namespace: str, count: int, version: int, *, stamped: bool) -> list[Json]:
    bodies = [body(number, version) for number in range(count)]
    if not stamped:
        return bodies
    writing = Writing(now=datetime.now(UTC).isoformat(timespec="seconds"))
    manifests = [Manifest(content, Place("bench")) for content in bodies]
    keyed = [(Key("", "ConfigMap", namespace, manifest.name), manifest) for manifest in manifests]
    return [stamp(declared, writing) for declared in declare(keyed, writing)]


def _context(credentials: Credentials) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=base64.b64decode(credentials.authority).decode())
    with tempfile.TemporaryDirectory(prefix="kit-bench-") as name:
        files = {"crt": credentials.certificate, "key": credentials.key}
        for ending, content in files.items():
            (Path(name) / ending).write_bytes(base64.b64decode(content))
        context.load_cert_chain(Path(name) / "crt", Path(name) / "key")
    return context
