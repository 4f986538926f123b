# SPDX-License-Identifier: MIT
"""kit-deployer's image logs in to a real cluster: with a login program in a derived image or mounted, with a clone and
the key.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from demo.stage import GO
from kit_core.envfile import Form, Key, encrypt
from testbed.bed import Testbed
from testbed.cluster import Cluster
from testbed.docker import docker
from testbed.images import ensure_image
from tests.images.running import Image, Result

ROOT = Path(__file__).parents[2]
MODULE = "login.example/stand-in"
PROGRAM = """package main

import (
\t"encoding/json"
\t"fmt"
\t"os"
)

func main() {
\tfmt.Fprintln(os.Stderr, "logging in with", os.Getenv("LOGIN_TOKEN"))
\ttoken := map[string]string{"token": os.Getenv("LOGIN_TOKEN")}
\tanswer := map[string]any{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": token}
\tif len(os.Args) != 2 || os.Args[1] != "get-token" || json.NewEncoder(os.Stdout).Encode(answer) != nil {
\t\tos.Exit(7)
\t}
}
"""
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {greeting: hello}\n"


def module_proxy(folder: Path) -> None:
    """The stand-in's module, as a module proxy serves it."""
    where = folder / "proxy" / MODULE / "@v"
    where.mkdir(parents=True)
    rules = f"module {MODULE}\n\ngo 1.21\n"
    (where / "list").write_text("v1.0.0\n")
    (where / "v1.0.0.info").write_text('{"Version": "v1.0.0", "Time": "2024-01-01T00:00:00Z"}')
    (where / "v1.0.0.mod").write_text(rules)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{MODULE}@v1.0.0/go.mod", rules)
        archive.writestr(f"{MODULE}@v1.0.0/main.go", PROGRAM)
    (where / "v1.0.0.zip").write_bytes(packed.getvalue())


@pytest.fixture(scope="module")
def derived(built: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image of examples/derived-image, with a stand-in for a cloud's program."""
    folder, mark = tmp_path_factory.mktemp("derived"), uuid4().hex[:8]
    go, made = f"kit-test-go:{mark}", f"kit-test-derived:{mark}"
    module_proxy(folder)
    (folder / "Dockerfile").write_text(
        f"FROM {ensure_image(GO)}\nCOPY proxy /proxy\nENV GOPROXY=file:///proxy GOSUMDB=off GOTOOLCHAIN=local\n"
    )
    docker("build", "--quiet", "--tag", go, str(folder))
    docker("tag", built["kit-deployer"], f"kit-test-deployer:{mark}")
    try:
        docker(
            "build", "--quiet", "--tag", made,
            "--build-arg", f"KIT=kit-test-deployer:{mark}", "--build-arg", f"GO={go}",
            "--build-arg", f"PROGRAM={MODULE}@v1.0.0", str(ROOT / "examples/derived-image"), timeout=300,
        )  # fmt: skip
        yield made
    finally:
        docker("rmi", "--force", made, go, f"kit-test-deployer:{mark}", check=False)


class Site:
    """A namespace of a real cluster, and the folders of one deploy to it."""

    def __init__(self, image: Image, bed: Testbed, cluster: Cluster, namespace: str) -> None:
        self.image, self.bed, self.cluster, self.namespace = image, bed, cluster, namespace
        self.work = image.owned(0)
        self.write("generated/shop/settings.yaml", MANIFEST)
        self.config = yaml.safe_load(cluster.kubeconfig("shop", namespace))
        self.user = self.config["users"][0]["user"]

    def write(self, name: str, text: str) -> None:
        self.image.write(self.work, name, text, uid=0)

    def deploy(self, *options: str, image: str | None = None, **env: str) -> Result:
        settings = {
            "CONFIGS": "clusters/*/kubeconfig", "MANIFESTS_DIR": "generated", "NAMESPACES_DIR": "namespaces",
            "DRY_RUN": "false", "DEBUG": "true", **env,
        }  # fmt: skip
        variables = tuple(part for name, value in settings.items() for part in ("-e", f"{name}={value}"))
        runner = replace(self.image, reference=image) if image else self.image
        mounts = ("--network", self.bed.network, "-v", f"{self.work}:/repo:ro", "-w", "/repo")
        return runner.run(options=(*mounts, *variables, *options))

    def arrived(self) -> bool:
        found = self.cluster.kubectl("--namespace", self.namespace, "get", "configmap", "settings", check=False)
        return found.returncode == 0


@pytest.fixture
def site(deployer: Image, bed: Testbed, cluster: Cluster, namespace: str) -> Site:
    return Site(deployer, bed, cluster, namespace)


def token(site: Site) -> str:
    names = ("--namespace", site.namespace)
    site.cluster.kubectl(*names, "create", "serviceaccount", "deployer")
    site.cluster.kubectl(
        *names, "create", "rolebinding", "deployer", "--clusterrole=admin",
        f"--serviceaccount={site.namespace}:deployer",
    )  # fmt: skip
    return site.cluster.token("deployer", site.namespace)


def test_a_login_program_in_a_derived_image_or_mounted(site: Site, derived: str, tmp_path: Path) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "stand-in", "args": ["get-token"]}
    site.config["users"][0]["user"] = {"exec": plugin}
    site.write("clusters/shop/kubeconfig", yaml.safe_dump(site.config))
    secret = token(site)
    without = site.deploy(LOGIN_TOKEN=secret)
    assert without.code == 2
    assert "'stand-in' is neither on PATH nor in /plugins" in without.err

    done = site.deploy(image=derived, LOGIN_TOKEN=secret)
    assert done.code == 0, done.text
    assert site.arrived()
    assert secret not in done.text

    container = docker("create", derived).stdout.strip()
    try:
        plugins = tmp_path / "mounts/plugins"
        plugins.mkdir()
        docker("cp", f"{container}:/usr/local/bin/stand-in", str(plugins))
    finally:
        docker("rm", container)
    site.cluster.kubectl("--namespace", site.namespace, "delete", "configmap", "settings")
    mounted = site.deploy("-v", f"{plugins}:/plugins:ro", LOGIN_TOKEN=secret)
    assert mounted.code == 0, mounted.text
    assert site.arrived()

    plugin["args"] = ["no-such-thing"]
    site.write("clusters/shop/kubeconfig", yaml.safe_dump(site.config))
    failed = site.deploy(image=derived, LOGIN_TOKEN=secret)
    assert failed.code == 1
    assert "stand-in: it exited with 7" in failed.err


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
def test_a_clone_and_the_key_are_enough(site: Site, form: Form) -> None:
    """Nothing can be written anywhere, and nothing that the kubeconfig holds is seen."""
    key = Key(bytes(range(32)))
    sealed = encrypt(yaml.safe_dump(site.config).encode(), key, form=form).decode()
    site.write("clusters/shop/kubeconfig", sealed)
    keyless = site.deploy("--read-only")
    assert keyless.code == 2
    assert "CODESHIP_AES_KEY is not set" in keyless.err
    assert "/repo/codeship.aes" in keyless.err
    wrong = site.deploy("--read-only", CODESHIP_AES_KEY=Key(bytes(32)).text)
    assert wrong.code == 2
    assert "wrong key" in wrong.err
    assert not site.arrived()
    site.write("codeship.aes", key.text)
    done = site.deploy("--read-only", "--user", "4711:4711")
    assert done.code == 0, done.text
    assert site.arrived()
    for text in (keyless.text, wrong.text, done.text):
        assert site.user["client-key-data"] not in text
        assert key.text not in text


def test_the_documented_command_names_settings_that_exist() -> None:
    from kit_core.declare import declared
    from kit_deployer.settings import DeployerSettings

    known = {name for item in declared(DeployerSettings) for name in item.variables}
    text = (ROOT / "docs/clouds.md").read_text()
    used = set(re.findall(r"-e ([A-Z_]+)", text))
    assert used
    assert used <= known


def test_the_example_is_built_on_a_released_image() -> None:
    lines = (ROOT / "examples/derived-image/Dockerfile").read_text().splitlines()
    assert "ARG KIT=registry.example.com/kit-deployer:0.1" in lines
