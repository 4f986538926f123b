# SPDX-License-Identifier: MIT
"""What will be done with each object, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from kit_deployer.desired.fitting import fit
from kit_deployer.desired.scaling import scaled
from kit_deployer.objects import GroupKind
from kit_deployer.plan.inventory import Inventory
from kit_deployer.plan.order import phase_of
from kit_deployer.plan.plan import Action, Wishes, by_phase
from tests.unit.deployer.plans import did, plan_of
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, JOB, SECRET, SERVICE, declared, live


def test_new_changed_and_same() -> None:
    items = declared(f"{CONFIG_MAP}---\n{SECRET}---\n{SERVICE}")
    changed = declared(CONFIG_MAP.replace("red", "blue"))[0]
    plan = plan_of(items, live(changed), live(items[2]))
    assert did(plan) == {"ConfigMap": "change", "Secret": "create", "Service": "keep"}
    assert plan.sends
    assert not plan_of(items, *map(live, items)).sends


def test_create_only_and_force() -> None:
    items = declared(f"{CONFIG_MAP}---\n{SECRET}")
    other = live(declared(CONFIG_MAP.replace("red", "blue"))[0])
    assert did(plan_of(items, other, wishes=Wishes(create_only=True))) == {"ConfigMap": "keep", "Secret": "create"}
    same = [live(item) for item in items]
    assert did(plan_of(items, *same, wishes=Wishes(force=True))) == {"ConfigMap": "change", "Secret": "change"}


@pytest.mark.parametrize(
    ("group", "kind", "phase"),
    [
        ("", "Namespace", 0),
        ("apiextensions.k8s.io", "CustomResourceDefinition", 0),
        ("rbac.authorization.k8s.io", "ClusterRole", 1),
        ("", "ServiceAccount", 1),
        ("", "ConfigMap", 1),
        ("", "Secret", 1),
        ("", "PersistentVolumeClaim", 1),
        ("", "ResourceQuota", 1),
        ("networking.k8s.io", "NetworkPolicy", 1),
        ("", "Service", 2),
        ("apps", "Deployment", 3),
        ("apps", "StatefulSet", 3),
        ("batch", "CronJob", 3),
        ("", "Pod", 3),
        ("autoscaling", "HorizontalPodAutoscaler", 4),
        ("policy", "PodDisruptionBudget", 4),
        ("networking.k8s.io", "Ingress", 4),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", 4),
        ("example.com", "Deployment", 4),
        ("serving.knative.dev", "Service", 4),
    ],
)
def test_phases(group: str, kind: str, phase: int) -> None:
    assert phase_of(GroupKind(group, kind)) == phase


def test_phases_are_applied_one_after_the_other() -> None:
    plan = plan_of(declared(f"{DEPLOYMENT}---\n{SERVICE}---\n{JOB}---\n{CONFIG_MAP}"))
    kinds = [[action.key.kind for action in phase] for phase in by_phase(plan.actions)]
    assert kinds == [["ConfigMap"], ["Service"], ["Deployment", "Job"]]


def test_an_existing_service_waits_and_a_new_one_does_not() -> None:
    items = declared(f"{DEPLOYMENT}---\n{SERVICE}")
    old = live(declared(SERVICE)[0])
    waiting = plan_of(items, old)
    assert [action.waits for action in waiting.actions if action.key.kind == "Service"] == [True]
    assert waiting.switches
    assert not plan_of(items).switches
    assert not plan_of(items, *map(live, items)).switches
    assert not plan_of(declared(SERVICE), live(declared(SERVICE.replace("80", "81"))[0])).switches


def job(conditions: str | None = None, **seen: Any) -> Action:
    items = declared(JOB)
    bodies = []
    if conditions is not None:
        found = live(items[0])
        if conditions:
            found["status"] = {"conditions": [{"type": conditions, "status": "True"}]}
        bodies.append(found)
    return plan_of(items, *bodies, **seen).actions[0]


def test_jobs() -> None:
    key = declared(JOB)[0].key
    remembered = Inventory("shop", jobs={f"shop/{key.name}": "T"})
    assert job().do == "create"
    assert (job("Complete").do, job("Complete").state) == ("keep", "completed")
    assert job("Failed").do == "rerun"
    assert (job("").do, job("").state) == ("keep", "running")
    assert (job(inventory=remembered).do, job(inventory=remembered).state) == ("keep", "completed")
    force = Wishes(force=True)
    assert job(inventory=remembered, wishes=force).do == "create"
    assert job("Complete", wishes=force).do == "rerun"
    assert job("", wishes=force).do == "keep", "a running one is not killed"


def test_a_job_that_always_runs() -> None:
    always = declared(JOB.replace("{name: migrate}", "{name: migrate, annotations: {kit-deployer/run: always}}"))
    found = live(always[0])
    found["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    assert plan_of(always, found).actions[0].do == "rerun"


def test_replicas_under_an_autoscaler_are_never_sent() -> None:
    (item,) = declared(DEPLOYMENT)
    plan = plan_of([item], scaled=frozenset({("shop", "Deployment", "web")}))
    assert "replicas" not in plan.actions[0].item.body["spec"]
    other = plan_of([item], scaled=frozenset({("other", "Deployment", "web"), ("shop", "StatefulSet", "web")}))
    assert other.actions[0].item.body["spec"]["replicas"] == 2


def test_replicas_that_nobody_writes_keep_their_live_number() -> None:
    (unsaid,) = declared(DEPLOYMENT.replace("replicas: 2", "revisionHistoryLimit: 3"))
    found = live(unsaid, replicas=5)
    by_hand = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:x": {}}}}
    found["metadata"]["managedFields"] = [by_hand]
    (action,) = plan_of([unsaid], found).actions
    kept, ours = action.managed_fields or []
    assert (kept["manager"], kept["fieldsV1"]) == ("kubectl-edit", {"f:spec": {"f:replicas": {}}})
    assert ours["fieldsV1"] == {"f:spec": {"f:x": {}}}


def test_drift_that_is_corrected_lets_go_of_replicas_first() -> None:
    (item,) = declared(DEPLOYMENT)
    found = live(item, replicas=7, revisionHistoryLimit=9, template={})
    for entry in found["metadata"]["managedFields"]:
        entry["fieldsV1"] = {"f:spec": {"f:replicas": {}}}
    (action,) = plan_of([item], found, scaled=frozenset({("shop", "Deployment", "web")})).actions
    assert action.state == "suspect"
    assert (action.managed_fields or [])[-1]["manager"] == "kit-deployer-released"


def test_what_scales_what() -> None:
    hpa = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
           "spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": "db"}}}  # fmt: skip
    keda = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "spec": {"scaleTargetRef": {"name": "web"}}}
    other = {"apiVersion": "example.com/v1", "kind": "ScaledObject", "spec": {"scaleTargetRef": {"name": "x"}}}
    found = scaled([("shop", hpa), ("shop", keda), ("shop", other), ("shop", {"apiVersion": "v1", "kind": "Pod"})])
    assert found == {("shop", "StatefulSet", "db"), ("shop", "Deployment", "web")}


def test_a_live_selector_that_lacks_our_labels_is_kept() -> None:
    (item,) = declared(DEPLOYMENT)
    found = live(item, selector={"matchLabels": {"name": "web"}})
    fitted, note = fit(item, found, frozenset())
    assert fitted.body["spec"]["selector"] == {"matchLabels": {"name": "web"}}
    assert "keeps its selector" in note
    assert plan_of([item], found).actions[0].do == "keep", "and that is no change, run after run"
    changed = live(item, selector={"matchLabels": {"app": "other"}})
    fitted, note = fit(item, changed, frozenset())
    assert fitted.body["spec"]["selector"]["matchLabels"]["strategy"] == "rolling-update"
    assert note == ""
