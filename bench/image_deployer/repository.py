# SPDX-License-Identifier: MIT
"""A deployments repository of any size on the testbed's git server."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.bed import Testbed
from testbed.git import GitRepository

KIT_YAML = "version: '2'\nimages:\n  path: images\n  property: image\n"
BRANCHES = ("develop", "master", "release", "staging", "test")
_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{number}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: service-{number}}}}}
  template:
    metadata: {{labels: {{app: service-{number}}}}}
    spec:
      containers:
      - name: main
        image: {{{{image}}}}
        env:
        - {{name: TOKEN, value: "{token}"}}
        resources: {{requests: {{cpu: 100m, memory: {memory}Mi}}}}
"""


def service(number: int) -> str:
    """The name of a service: twenty to a team."""
    return f"team{number // 20:03}/service{number:05}"


def image_of(repository: str, build: int) -> str:
    """An image of that service."""
    return f"registry.example.com/{repository}:master-{build:07x}"


@contextmanager
def repository_of(bed: Testbed, name: str, *, files: int, commits: int) -> Iterator[GitRepository]:
    """So many files (a quarter are images, five branches a service; the rest manifests) and so many commits, each of
    which moved one image. Packed as a server's own housekeeping leaves it.
    """
    repository = bed.git.create(f"bench-{name}-{os.getpid()}")
    try:
        execute = repository.container.execute
        execute("git", "-C", repository.path, "fast-import", "--quiet", stdin=fast_import(files, commits), timeout=600)
        repository.git("config", "receive.autogc", "false")
        execute("git", "-C", repository.path, "repack", "-a", "-d", "-q", "--write-bitmap-index", timeout=600)
        yield repository
    finally:
        repository.delete()


def fast_import(files: int, commits: int) -> bytes:
    """The history as git-fast-import(1) reads it; always the same."""
    chance = random.Random(1)
    out = io.BytesIO()

    def blob(path: str, text: str) -> None:
        data = text.encode()
        out.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))

    def commit(number: int, words: str) -> None:
        out.write(b"commit refs/heads/master\nmark :%d\n" % number)
        out.write(b"committer Ada <ada@example.com> %d +0000\n" % (1_700_000_000 + number))
        out.write(b"data %d\n%s\n" % (len(words), words.encode()))
        if number > 1:
            out.write(b"from :%d\n" % (number - 1))

    services = max(1, files // 4 // len(BRANCHES))
    commit(1, "First commit")
    blob("kit.yaml", KIT_YAML)
    for number in range(services):
        for branch in BRANCHES:
            blob(f"images/{service(number)}/{branch}.yaml", f"image: {image_of(service(number), 1)}\n")
    for number in range(files - services * len(BRANCHES) - 1):
        text = _MANIFEST.format(
            number=number, replicas=chance.randint(1, 9), token=chance.randbytes(24).hex(), memory=64 << number % 5
        )
        blob(f"clusters/cluster{number // 200:03}/{number % 20:02}/service{number:06}.yaml", text)
    for number in range(2, commits + 1):
        commit(number, f"Deploy build {number}")
        name = service(chance.randrange(services))
        blob(f"images/{name}/{chance.choice(BRANCHES)}.yaml", f"image: {image_of(name, number)}\n")
    return out.getvalue()
