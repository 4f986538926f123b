# SPDX-License-Identifier: MIT
"""The example deployments repository renders, and what comes out is what kit-deployer and the demo count on."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo.shop import EXAMPLES, PLACES, SERVICES, recorded_images
from kit_core.errors import KitError
from kit_deploymentizer import Deploymentizer, DeploymentizerSettings

Manifests = dict[str, dict[tuple[str, str], dict[str, Any]]]


def render(folder: Path, env: dict[str, str]) -> tuple[Manifests, list[str]]:
    """Cluster -> (kind, name) -> manifest, and every problem."""
    repository = folder / "deployments"
    shutil.copytree(EXAMPLES / "deployments-repo", repository)
    settings = DeploymentizerSettings(conf=repository / "kit.yaml")
    report = Deploymentizer(settings, env=env, cwd=repository).run()
    found: Manifests = {}
    for path in sorted((repository / "generated").glob("*/*.yaml")):
        manifest = yaml.safe_load(path.read_text("utf-8"))
        found.setdefault(path.parent.name, {})[manifest["kind"], manifest["metadata"]["name"]] = manifest
    return found, [str(problem) for problem in report.problems]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifests, list[str]]:
    return render(tmp_path_factory.mktemp("shop"), {"PAYMENT_KEY": "k3y"})


@pytest.fixture
def manifests(rendered: tuple[Manifests, list[str]]) -> Manifests:
    return rendered[0]


def test_it_renders_without_a_word_of_warning(rendered: tuple[Manifests, list[str]]) -> None:
    assert rendered[1] == []


def test_every_cluster_folder_gets_the_whole_shop(manifests: Manifests) -> None:
    assert manifests.keys() == {place.folder for place in PLACES}
    everywhere = {(kind, service) for service in SERVICES for kind in ("Deployment", "Service")} | {
        ("ConfigMap", "shop-settings"),
        ("Secret", "payment-provider"),
        ("HorizontalPodAutoscaler", "storefront"),
        ("Job", "catalog-migrate"),
    }
    production = everywhere | {("CronJob", "mailer-digest")}
    assert manifests["staging-eu"].keys() == everywhere
    assert manifests["production-eu"].keys() == production
    assert manifests["production-us"].keys() == production


def test_deployments_carry_the_label_that_kit_deployer_asks_for(manifests: Manifests) -> None:
    for objects in manifests.values():
        for (kind, name), manifest in objects.items():
            if kind == "Deployment":
                assert manifest["metadata"]["labels"]["name"] == name
                assert manifest["spec"]["template"]["metadata"]["labels"]["name"] == name
            if kind == "Service":
                assert manifest["spec"]["selector"] == {"name": name}
                assert ("Deployment", name) in objects


def test_images_are_those_recorded(manifests: Manifests) -> None:
    images = recorded_images(EXAMPLES / "deployments-repo")
    assert images.keys() == set(SERVICES)
    for objects in manifests.values():
        for service, image in images.items():
            assert objects["Deployment", service]["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_the_autoscaler_rules_the_replicas(manifests: Manifests) -> None:
    for objects in manifests.values():
        assert "replicas" not in objects["Deployment", "storefront"]["spec"]


def test_settings_differ_by_type_and_by_cluster(manifests: Manifests) -> None:
    def settings(folder: str) -> dict[str, str]:
        data: dict[str, str] = manifests[folder]["ConfigMap", "shop-settings"]["data"]
        return data

    def reviews(folder: str) -> str:
        container = manifests[folder]["Deployment", "storefront"]["spec"]["template"]["spec"]["containers"][0]
        return str(next(entry["value"] for entry in container["env"] if entry["name"] == "SHOP_REVIEWS"))

    assert {folder: settings(folder)["SHOP_CURRENCY"] for folder in manifests} == {
        "staging-eu": "EUR",
        "production-eu": "EUR",
        "production-us": "USD",
    }
    assert settings("staging-eu")["SHOP_BANNER"] != settings("production-eu")["SHOP_BANNER"] == ""
    assert {folder: reviews(folder) for folder in manifests} == {
        "staging-eu": "on",
        "production-eu": "on",
        "production-us": "off",
    }
    assert manifests["staging-eu"]["Deployment", "cart"]["spec"]["replicas"] == 1
    assert manifests["production-us"]["Deployment", "cart"]["spec"]["replicas"] == 2


def test_the_key_comes_from_the_environment_and_is_asked_for(manifests: Manifests, tmp_path: Path) -> None:
    for objects in manifests.values():
        assert base64.b64decode(objects["Secret", "payment-provider"]["data"]["PAYMENT_KEY"]) == b"k3y"
    with pytest.raises(KitError, match="PAYMENT_KEY"):
        render(tmp_path, {})


def test_namespaces_are_those_of_the_cluster_folders() -> None:
    for place in PLACES:
        text = (EXAMPLES / "deployments-repo/namespaces" / place.folder / "namespace.yaml").read_text("utf-8")
        assert yaml.safe_load(text)["metadata"]["name"] == place.namespace
