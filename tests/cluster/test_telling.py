# SPDX-License-Identifier: MIT
"""Webhooks of a real run: when they are told, and that nothing about them fails a deploy."""

from __future__ import annotations

import json
import socket

from tests.cluster.desk import Desk, config_map, deployment, documents
from tests.unit.deployer.receiver import receiver

JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "migrate", "annotations": {"kit-deployer/alias-name": "database"}},
}


def test_webhooks_are_told_when_a_resource_begins_and_when_it_is_over(shop: Desk, image: str) -> None:
    container = {"name": "main", "image": image, "env": [{"name": "EXIT", "value": "0"}]}
    pod = {"restartPolicy": "Never", "containers": [container]}
    job = {**JOB, "spec": {"backoffLimit": 0, "template": {"spec": pod}}}
    shop.write("manifests/shop/all.yaml", documents(deployment("web", image), json.dumps(job), config_map("settings")))
    with receiver() as hooks:
        told = {"AVAILABLE_WEBHOOK": f"{hooks.url}/deploys", "KIT_SLACK_WEBHOOK": f"{hooks.url}/slack", "UUID": "u-7"}
        first = shop.deploy(**told)
        assert first.code == 0, first.log
        web = [body["build"] for body in hooks.told("/deploys/web")]
        assert [(build["phase"], build["status"]) for build in web] == [
            ("STARTED", "IN_PROGRESS"), ("COMPLETED", "SUCCESS"),
        ]  # fmt: skip
        assert web[0]["progress"]["clusters"]["remaining"] == ["shop"]
        assert web[1]["progress"]["clusters"]["completed"] == 1
        assert len(hooks.told("/deploys/database")) == 2
        assert len(hooks.told("/deploys/settings")) == 2
        assert len(hooks.told("/slack")) == 1
        assert {body["uuid"] for path, body in hooks.got if path != "/slack"} == {"u-7"}
        hooks.got.clear()
        assert shop.deploy(**told).code == 0
        assert hooks.got == []  # nothing changed, no news


def test_a_failure_is_told_with_its_reason_and_a_dead_address_fails_nothing(shop: Desk) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        closed_port = listener.getsockname()[1]
    shop.write("manifests/shop/all.yaml", documents(config_map("settings")))
    dead = f"http://127.0.0.1:{closed_port}/a-secret-path"
    run = shop.deploy(AVAILABLE_WEBHOOK=dead, KIT_SLACK_WEBHOOK=dead)
    assert run.code == 0
    assert f"http://127.0.0.1:{closed_port} was not told of settings" in run.log
    assert "a-secret-path" not in run.log
    shop.write("manifests/shop/all.yaml", documents(deployment("web", "'no such image'")))
    with receiver() as hooks:
        run = shop.deploy(AVAILABLE_WEBHOOK=hooks.url, KIT_SLACK_WEBHOOK=f"{hooks.url}/slack")
        assert run.code == 1
        over = hooks.told("/web")[-1]["build"]
        assert (over["phase"], over["status"]) == ("COMPLETED", "FAILURE")
        assert "InvalidImageName" in over["reason"]
        assert "InvalidImageName" in json.dumps(hooks.told("/slack"))
