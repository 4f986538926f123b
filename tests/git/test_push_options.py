# SPDX-License-Identifier: MIT
"""KIT_PUSH_OPTIONS: words for the server's hooks."""

from __future__ import annotations

from tests.git.deployments import Deployments

HOOK = """#!/bin/sh
i=0
while [ "$i" -lt "${GIT_PUSH_OPTION_COUNT:-0}" ]; do
  eval "echo \\"\\$GIT_PUSH_OPTION_$i\\""
  i=$((i + 1))
done > options
"""


def test_they_reach_the_hooks(deployments: Deployments) -> None:
    deployments.repository.git("config", "receive.advertisePushOptions", "true")
    deployments.repository.hook("pre-receive", HOOK)
    run = deployments.run(KIT_PUSH_OPTIONS='["ci.skip", "topic=a, b=c"]')
    assert run.code == 0, run.log
    written = deployments.repository.container.execute("cat", f"{deployments.repository.path}/options").stdout
    assert written == "ci.skip\ntopic=a, b=c\n"


def test_a_server_that_takes_none_gets_no_push(deployments: Deployments) -> None:
    before = deployments.commits()
    run = deployments.run(KIT_PUSH_OPTIONS="ci.skip")
    assert run.code == 1
    assert "the server takes no push options" in run.log
    refused = deployments.run(KIT_PUSH_OPTIONS='["a\\nb"]')
    assert refused.code == 2
    assert deployments.commits() == before
