# SPDX-License-Identifier: MIT
"""The differences that a real run shows, and what no difference shows: values of Secrets."""

from __future__ import annotations

import base64
import json

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, deployment, documents, job, service
from tests.cluster.watched import changed, everything_written, fingerprint, objects


def test_a_real_run_shows_the_same_and_what_goes(shop: Desk, cluster: Cluster, namespace: str, image: str) -> None:
    """Going back from fast-rollback to rolling updates, dry and then in earnest; the dry run wrote nothing."""
    shop.write("manifests/shop/all.yaml", documents(deployment("web", image, COLOUR="red"), service("web")))
    assert shop.deploy(STRATEGY="fast-rollback", DEPLOY_ID="1").code == 0
    before = fingerprint(cluster, namespace)
    second = shop.deploy(STRATEGY="fast-rollback", DEPLOY_ID="2", DRY_RUN="true", DIFF="true")
    assert second.did("shop") == {"Deployment/web-2": "created", "Service/web": "changed"}
    lines = changed(objects(second)["Service/web"]["diff"])
    assert "-    id: '1'" in lines
    assert "+    id: '2'" in lines
    foreseen = shop.deploy(DRY_RUN="true", DIFF="true")
    assert fingerprint(cluster, namespace) == before
    done = shop.deploy(DIFF="true")
    assert done.code == 0, done.log
    for run in (foreseen, done):
        gone = objects(run)["Deployment/web-1"]
        assert gone["result"] == "deleted"
        assert changed(gone["diff"])[0] == "-apiVersion: apps/v1"
        created = changed(objects(run)["Deployment/web"]["diff"])
        assert "+  replicas: 1" in created
        assert not any("terminationMessagePath" in line for line in created), "a default is no news"
    assert changed(objects(foreseen)["Service/web"]["diff"]) == changed(objects(done)["Service/web"]["diff"])
    assert "deleted Deployment" in done.log
    assert "-  name: web-1" in done.log


def test_secret_values_are_in_no_output(shop: Desk, namespace: str, image: str) -> None:
    """From a Secret, from a secret source of the render, from what looks like one; when a container prints it, too."""
    canaries = ["canary-in-secret-1", "canary-from-source-2", "canary-in-args-3", "canary-in-url-4", "canary-in-env-5"]
    secret, source, args, url, env = canaries
    container = f"args: ['--token={args}', '--database=postgres://shop:{url}@db/shop']"
    web = deployment("web", image, container=container, API_PASSWORD=env)
    failing = job("migrate", image, 1, CRASH=f"cannot log in with {secret} {source}")
    rest = [
        json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
                    "data": {"password": base64.b64encode(secret.encode()).decode()}}),
        config_map("settings", colour=source),
    ]  # fmt: skip
    shop.write("manifests/shop/web.yaml", documents(web, failing))
    shop.write("manifests/shop/rest.yaml", documents(*rest))
    index = {"version": 1, "complete": True, "commit": "abc", "secrets": {"rest.yaml": ["/data/colour"]}}
    shop.write("manifests/.kit/shop.json", json.dumps(index))
    files = {"KIT_DIFF_FILE": str(shop.root / "diff.md"), "DEBUG": "true", "DIFF": "true"}
    for word, log_format in (("true", "text"), ("read", "json"), ("false", "json")):
        run = shop.deploy(DRY_RUN=word, KIT_LOG_FORMAT=log_format, **files)
        assert run.code == (1 if word == "false" else 0), run.log
        for name, text in everything_written(run, shop.root).items():
            for canary in canaries:
                encoded = base64.b64encode(canary.encode()).decode()
                assert canary not in text, f"{canary} in {name}"
                assert encoded[:16] not in text, f"{canary}, encoded, in {name}"
    assert "cannot log in with ***" in run.log
    shop.write("manifests/shop/rest.yaml", documents(*rest).replace(source, "another-value-entirely"))
    run = shop.deploy(DRY_RUN="true", **files)
    assert "another-value-entirely" not in "".join(everything_written(run, shop.root).values())
    assert changed(objects(run)["ConfigMap/settings"]["diff"]) == ["-  colour: '***'", "+  colour: '*** (changed)'"]
