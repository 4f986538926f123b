# SPDX-License-Identifier: MIT
"""The Python API, as the image's README shows it and as a pipeline of one's own would use it."""

from __future__ import annotations

import io
import os
import re
import threading
from pathlib import Path

import pytest

import kit_deployer
from kit_core.ci import NONE
from kit_core.console import Console
from kit_core.envfile import Key, encrypt
from kit_core.secrets import Masker
from kit_deployer import Deployer, InputError, Options, RunResult, Secret, Waiting, Writing, parse_selector
from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, documents, job

README = Path(__file__).parents[2] / "images/kit-deployer/README.md"


def deployer(desk: Desk) -> Deployer:
    return Deployer(
        configs=str(desk.root / "configs/*/kubeconfig"),
        manifests_dir=desk.root / "manifests",
        commit="4f2a91c",
        env={"PATH": os.environ["PATH"]},
    )


def test_the_readmes_example(
    shop: Desk, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    shop.write("manifests/shop/a.json", config_map("settings"))
    (shop.root / "configs").rename(shop.root / "clusters")
    (shop.root / "manifests").rename(shop.root / "generated")
    monkeypatch.chdir(shop.root)
    with pytest.raises(SystemExit) as ended:
        exec(compile(code, "README.md", "exec"), {})
    assert ended.value.code == 0
    assert capsys.readouterr().out == "shop {'created': 1, 'changed': 0, 'unchanged': 0, 'pruned': 0, 'failed': 0}\n"
    labels = cluster.get("configmap", "settings", "--namespace", namespace)["metadata"]["labels"]
    assert labels["id"] == "build-17"
    (shop.root / "generated/shop/a.json").write_text("{")
    with pytest.raises(SystemExit, match="is not valid JSON"):
        exec(compile(code, "README.md", "exec"), {})


def test_every_name_of_the_library_is_there() -> None:
    assert [name for name in kit_deployer.__all__ if not hasattr(kit_deployer, name)] == []
    with pytest.raises(AttributeError, match="has no attribute 'Deploy'"):
        _ = kit_deployer.Deploy


def test_results_say_what_was_done_and_what_failed(shop: Desk, image: str) -> None:
    shop.write("manifests/shop/all.yaml", documents(config_map("settings"), job("doomed", image, 3)))
    planned: RunResult = deployer(shop).run()
    assert (planned.dry_run, planned.exit_code, planned.word) == (True, 0, "planned")
    options = Options(dry_run=False, waiting=Waiting(enabled=True), writing=Writing(uuid="u-1"))
    result = deployer(shop).run(options)
    (cluster,) = result.clusters
    assert result.exit_code == cluster.exit_code == 1
    assert cluster.commit == "4f2a91c"
    assert {item.key.kind: (item.did, item.health) for item in cluster.objects}["ConfigMap"][0] == "created"
    (failure,) = cluster.failures
    assert failure.object is not None
    assert failure.object.kind == "Job"
    assert failure.pod is not None
    chosen = deployer(shop).run(Options(dry_run=False, selector=parse_selector("nothing=here")))
    assert (chosen.exit_code, chosen.clusters[0].objects) == (0, ())


def test_wrong_input_raises_and_one_dead_cluster_does_not(shop: Desk, cluster: Cluster) -> None:
    shop.write("manifests/shop/a.json", config_map("settings"))
    dead = cluster.kubeconfig("dead", inside=False).replace(cluster.server_outside, "https://127.0.0.1:1")
    shop.target("dead", dead)
    shop.write("manifests/dead/a.json", config_map("settings"))
    from kit_deployer.server.sending import Backoff

    result = deployer(shop).run(Options(dry_run=False, backoff=Backoff(tries=0), allow_failure=("dead",)))
    assert [(one.name, one.exit_code, one.may_fail) for one in result.clusters] == [
        ("dead", 1, True),
        ("shop", 0, False),
    ]
    assert result.exit_code == 0
    shop.write("manifests/dead/a.json", "{")
    with pytest.raises(InputError, match=r"dead/a\.json:1") as caught:
        deployer(shop).run()
    assert caught.value.exit_code == 2


def test_a_key_a_console_and_an_early_end(shop: Desk) -> None:
    key = Key(os.urandom(32))
    shop.write("manifests/shop/a.json", config_map("settings"))
    file = shop.root / "configs/shop/kubeconfig"
    file.write_bytes(encrypt(file.read_bytes(), key))
    log, stop, masker = io.StringIO(), threading.Event(), Masker()

    def made(aes_key: Secret | None) -> Deployer:
        return Deployer(
            configs=str(file),
            manifests_dir=shop.root / "manifests",
            aes_key=aes_key,
            console=Console(stderr=log, stdout=io.StringIO(), env={}, provider=NONE, masker=masker),
            masker=masker,
            stop=stop,
            cwd=shop.root,
        )

    with pytest.raises(InputError, match="There is no key"):
        made(None).run()
    assert made(Secret(key.text)).run().exit_code == 0
    assert "[shop] reading the cluster" in log.getvalue()
    stop.set()
    ended = made(Secret(key.text)).run()
    assert (ended.interrupted, ended.clusters[0].finished) == (143, False)
