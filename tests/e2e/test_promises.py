# SPDX-License-Identifier: MIT
"""The product's promises, each kept end to end: the real images, a real git server, registry and clusters."""

from __future__ import annotations

import hashlib
import secrets

from demo.shop import Place
from demo.stage import ADA
from tests.e2e.shop import OPERATOR, Shop

ENVIRONMENT = '{name: SHOP_REVIEWS, value: "on"}'
"""A variable of the storefront, as base-cluster.yaml sets it everywhere. production-us has a value of its own."""


def test_promise_3_merging_in_a_services_own_repository_deploys_it_everywhere(shop: Shop) -> None:
    build = shop.merge("Good morning")

    shop.ship()

    for place in shop.places:
        page = shop.page(place, version=build.tag)
        assert (page["version"], page["greeting"]) == (build.tag, "Good morning"), place.folder


def test_promise_4_a_changed_variable_is_deployed(shop: Shop) -> None:
    shop.edit("base-cluster.yaml", ENVIRONMENT, ENVIRONMENT + "\n      - {name: SHOP_DELIVERY, value: by bicycle}")
    shop.push("Tell how we deliver")

    shop.ship()

    for place in shop.places:
        assert shop.settings(place, DELIVERY="by bicycle")["DELIVERY"] == "by bicycle", place.folder


def test_promise_4_a_changed_setting_names_what_still_runs_with_the_old_one(shop: Shop) -> None:
    shop.edit("type/staging-var.yaml", "This is a rehearsal, nothing is sold here", "Only for looking")
    shop.push("Say it shorter")
    staging, *others = shop.places
    before = shop.pods(staging, "storefront")

    done = shop.ship()

    config = shop.stage.cluster(staging).get("configmap", "shop-settings", "--namespace", staging.namespace)
    assert config["data"]["SHOP_BANNER"] == "Only for looking"
    assert shop.pods(staging, "storefront") == before
    named = done.line(r"shop-settings.*storefront|storefront.*shop-settings")
    assert named is not None, done.output
    assert staging.folder in named
    assert not any(place.folder in named for place in others)


def test_promise_4_a_key_is_rotated_once_for_all_clusters(shop: Shop) -> None:
    def fingerprint() -> str:
        return hashlib.sha256(shop.stage.pipeline.secrets["PAYMENT_KEY"].encode()).hexdigest()[:12]

    old = fingerprint()
    shop.rotate_key()

    done = shop.ship()

    key = shop.stage.pipeline.secrets["PAYMENT_KEY"]
    assert key not in done.output
    for place in shop.places:
        assert shop.page(place, "checkout")["payment_key"] == old, place.folder
        named = done.line(rf"{place.folder}.*checkout.*payment-provider|{place.folder}.*payment-provider.*checkout")
        assert named is not None, f"{place.folder}: nobody is told that checkout still has the old key\n{done.output}"

    shop.ship(KIT_CONFIG_CHECKSUM="true")

    for place in shop.places:
        page = shop.page(place, "checkout", payment_key=fingerprint())
        assert page["payment_key"] == fingerprint(), place.folder


def test_promise_5_a_cluster_folder_comes_and_goes(shop: Shop) -> None:
    asia = Place(folder="production-asia", cluster=1, namespace=f"shop-asia-{secrets.token_hex(3)}")
    shop.write(
        "clusters/production-asia/cluster.yaml",
        "kind: ClusterNamespace\nmetadata: {name: production-asia, type: production, branch: master}\n",
    )
    shop.write(
        "namespaces/production-asia/namespace.yaml",
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {asia.namespace}}}\n",
    )
    added = shop.push("Open in Asia")
    shop.add_place(asia)

    shop.ship()

    everything = shop.objects(asia)
    assert everything.keys() == shop.objects(shop.places[1]).keys()
    assert shop.page(asia)["version"] == shop.page(shop.places[1])["version"]

    shop.revert(added)
    shop.edit("base-cluster.yaml", ENVIRONMENT, ENVIRONMENT + "\n      - {name: SHOP_ASIA, value: closed}")
    shop.push("Say so")
    shop.drop_place(asia)

    shop.ship()

    assert shop.settings(shop.places[0], ASIA="closed")["ASIA"] == "closed"
    assert shop.objects(asia) == everything
    assert "ASIA" not in shop.settings(asia)


def test_promise_6_two_namespaces_of_one_cluster_are_separate_targets(shop: Shop) -> None:
    staging, production, _ = shop.places
    assert staging.cluster == production.cluster
    before = shop.objects(production), shop.pods(production, "storefront")
    shop.edit(
        "clusters/staging-eu/cluster.yaml",
        "resources:\n",
        "resources:\n  storefront:\n    env:\n      - {name: SHOP_TRIAL, value: pay later}\n",
    )
    shop.push("Try paying later, in staging")

    shop.ship()

    assert shop.settings(staging, TRIAL="pay later")["TRIAL"] == "pay later"
    assert "TRIAL" not in shop.settings(production)
    assert (shop.objects(production), shop.pods(production, "storefront")) == before
    assert "CronJob/mailer-digest" in shop.objects(production)
    assert "CronJob/mailer-digest" not in shop.objects(staging)


def test_promise_7_every_change_is_a_commit_that_says_who_what_when_and_from_which_build(shop: Shop) -> None:
    build = shop.merge("Good evening")
    commit = shop.pull()

    shop.ship()

    assert (commit.author, commit.email) == (ADA.name, ADA.email)
    image = f"{shop.stage.pipeline.registry}/shop/storefront:{build.tag}"
    assert f"Kit-Image: {image}" in commit.message.splitlines()
    assert f"Kit-Source-Commit: {build.commit}" in commit.message.splitlines()
    assert any(line.startswith("Kit-Previous-Image: ") for line in commit.message.splitlines())
    changed = shop.stage.desk.git("deployments", "show", "--format=%cI", commit.commit).output
    assert image in changed
    for place in shop.places:
        assert shop.commit_on(place, "deployment", "storefront") == commit.commit, place.folder

    by_hand = ENVIRONMENT + "\n      - {name: SHOP_HOURS, value: all}"
    shop.edit("base-cluster.yaml", ENVIRONMENT, by_hand)
    later = shop.push("Open all hours")
    shop.ship()
    assert (later.author, later.email) == (OPERATOR.name, OPERATOR.email)
    for place in shop.places:
        assert shop.commit_on(place, "deployment", "storefront") == later.commit, place.folder


def test_promise_8_reverting_commits_rolls_back_image_environment_and_configuration(shop: Shop) -> None:
    first = {place: (shop.page(place)["version"], shop.settings(place)) for place in shop.places}
    build = shop.merge("Everything must go")
    image = shop.pull()
    shop.edit("base-cluster.yaml", ENVIRONMENT, '{name: SHOP_SALE, value: "today"}')
    shop.edit(
        "base-cluster.yaml", "  mailer-digest:\n", "  coupons:\n    file: ./coupons/coupons.yaml\n  mailer-digest:\n"
    )
    shop.write(
        "resources/coupons/coupons.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: coupons}\ndata: {percent: '20'}\n",
    )
    shop.edit("base-var.yaml", 'banner: ""', "banner: Sale")
    sale = shop.push("Sale")
    shop.ship(KIT_CONFIG_CHECKSUM="true")
    for place in shop.places:
        assert shop.page(place, version=build.tag)["version"] == build.tag, place.folder
        assert shop.settings(place, SALE="today")["SALE"] == "today", place.folder
    assert shop.settings(shop.places[1], BANNER="Sale")["BANNER"] == "Sale"

    shop.revert(sale, image)
    done = shop.ship(KIT_CONFIG_CHECKSUM="true")

    for place in shop.places:
        version, settings = first[place]
        assert shop.page(place, version=version)["version"] == version, place.folder
        assert shop.settings(place, **settings) == settings, place.folder
        assert "ConfigMap/coupons" in shop.objects(place), "what the commit had added is deleted only when asked for"
        assert done.line(rf"{place.folder}.*coupons"), f"{place.folder}: the leftover is not named\n{done.output}"
