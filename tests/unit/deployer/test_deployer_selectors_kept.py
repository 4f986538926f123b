# SPDX-License-Identifier: MIT
"""A Deployment's selector cannot be changed: it holds nothing that another run's settings would take away."""

from __future__ import annotations

from kit_deployer.desired.annotate import Writing
from kit_deployer.desired.fitting import fit
from tests.unit.deployer.words import DEPLOYMENT, declared


def test_an_empty_selector_holds_no_label_that_a_setting_adds() -> None:
    (item,) = declared(DEPLOYMENT, Writing(resource="shop"))
    assert item.body["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == "shop"
    assert "app.kubernetes.io/name" not in item.body["spec"]["selector"]["matchLabels"]


def test_a_live_selector_that_holds_it_is_kept_while_the_pods_carry_it() -> None:
    (item,) = declared(DEPLOYMENT, Writing(resource="shop"))
    selector = item.body["spec"]["selector"]["matchLabels"]
    live = {**item.body, "spec": {"selector": {"matchLabels": {**selector, "app.kubernetes.io/name": "shop"}}}}
    kept, note = fit(item, live, frozenset())
    assert kept.body["spec"]["selector"] == live["spec"]["selector"]
    assert "keeps its selector" in note
    live["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] = "another"
    assert fit(item, live, frozenset())[1] == "", "the pods would not be found: the server has to refuse it"
