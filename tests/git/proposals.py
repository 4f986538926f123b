# SPDX-License-Identifier: MIT
"""Runs that propose: a forge's double before the real git server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from testbed.git import GitRepository
from tests.git.deployments import FILE, Deployments, Run
from tests.git.forges import Call, Forge, GitHubDouble

THIRD = "registry.example.com/shop/cart:master-3"


class Proposing:
    """A forge before the real git server, and runs that propose."""

    def __init__(self, repository: GitRepository, forge: Forge) -> None:
        self.repository = repository
        self.forge = forge

    def run(self, **others: str) -> Run:
        settings = {"KIT_PULL_REQUEST": "true", **self.forge.settings, **others}
        run = Deployments(self.repository).run(**settings)
        assert "canary" not in run.log
        assert self.forge.wrong == []
        return run

    @property
    def branch(self) -> str:
        names = self.repository.git("for-each-ref", "--format=%(refname:short)", "refs/heads/kit/").splitlines()
        (name,) = names
        return name

    def value(self, revision: str | None = None) -> str:
        return self.repository.read(FILE, revision or self.branch)

    def merge(self) -> None:
        """Merge our branch as a forge would: a merge commit on the target."""
        git = self.repository.git
        tree = git("merge-tree", "--write-tree", "master", self.branch)
        author = ("-c", "user.name=m", "-c", "user.email=m@example.com")
        merged = git(*author, "commit-tree", tree, "-p", "master", "-p", self.branch, "-m", "Merge")
        git("update-ref", "refs/heads/master", merged)

    def mergeable(self) -> bool:
        done = self.repository.git("merge-tree", "--write-tree", "master", self.branch, check=False)
        return "CONFLICT" not in done


# What does not depend on the forge is tested with one of them.
with_one = pytest.mark.parametrize("double", [GitHubDouble], ids=["github"], indirect=True)


class Once:
    """Deals with the first `times` requests of a method by `answer`."""

    def __init__(self, method: str, answer: Callable[[Call], Any], times: int = 1) -> None:
        self.method, self.answer, self.left = method, answer, times

    def __call__(self, call: Call) -> bool:
        if call.method != self.method or self.left <= 0:
            return False
        self.left -= 1
        self.answer(call)
        return True
