# SPDX-License-Identifier: MIT
"""What will be done with each object, in which order, and what a person is told beside it."""

from __future__ import annotations

from typing import Any

import pytest

from kit_deployer.desired.annotate import Declared, Writing
from kit_deployer.desired.fitting import fit
from kit_deployer.desired.scaling import scaled
from kit_deployer.objects import GroupKind, Json, Key
from kit_deployer.plan.inventory import Inventory
from kit_deployer.plan.order import phase_of
from kit_deployer.plan.plan import Action, Plan, Seen, Wishes, by_phase, make_plan
from kit_deployer.plan.references import referenced
from kit_deployer.plan.restarts import not_restarting
from kit_deployer.plan.unasked import unchecked
from kit_deployer.strategies import STRATEGIES
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, JOB, SECRET, SERVICE, WRITING, declared, live, one

ROLLING = STRATEGIES["rolling-update"]


def plan_of(
    items: list[Declared], *bodies: Json, wishes: Wishes | None = None, writing: Writing = WRITING, **seen: Any
) -> Plan:
    objects = {
        Key(b["apiVersion"].rpartition("/")[0], b["kind"], b["metadata"].get("namespace", ""), b["metadata"]["name"]): b
        for b in bodies
    }
    world = Seen(objects=objects, **seen)
    return make_plan(items, world, writing=writing, wishes=wishes or Wishes(), strategy=ROLLING)


def did(plan: Plan) -> dict[str, str]:
    return {action.key.kind: action.do for action in plan.actions}


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


def other_strategy(name: str = "web-7", **labels: str) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": name,
            "labels": {"name": "web", "strategy": "fast-rollback", **labels},
            "annotations": {"kit-deployer/original-name": "web"},
        },
    }


def test_what_another_strategy_deployed_is_outdated() -> None:
    items = declared(DEPLOYMENT)
    old = other_strategy()
    assert [item.key.name for item in plan_of(items, deployments=(old,)).outdated] == ["web-7"]
    assert plan_of(items, deployments=(old,)).switches
    gone, left = Key("apps", "Deployment", "shop", "web-7"), Key("", "Secret", "shop", "old")
    plan = make_plan(items, Seen(deployments=(old,)), writing=WRITING, wishes=Wishes(), strategy=ROLLING,
                     leftovers=[gone, left])  # fmt: skip
    assert plan.leftovers == (left,), "what is about to be deleted is no leftover"
    for kept in (
        other_strategy(strategy="rolling-update"),
        other_strategy(name="other"),
        {**other_strategy(), "metadata": {**other_strategy()["metadata"], "annotations": {}}},
        {**other_strategy(), "metadata": {**other_strategy()["metadata"], "labels": {"name": "web"}}},
        {**other_strategy(), "metadata": {**other_strategy()["metadata"], "namespace": "elsewhere"}},
        other_strategy("web"),
    ):
        if kept["metadata"]["labels"].get("name") == "other" or kept["metadata"]["name"] == "other":
            kept["metadata"]["annotations"] = {"kit-deployer/original-name": "other"}
        assert plan_of(items, deployments=(kept,)).outdated == ()
    assert plan_of(items, deployments=(old,), wishes=Wishes(create_only=True)).outdated == ()


def test_nothing_goes_in_favour_of_what_is_frozen() -> None:
    frozen = declared(DEPLOYMENT.replace("name: web,", "name: web, annotations: {kit-deployer/freeze: audit},", 1))
    assert plan_of(frozen, deployments=(other_strategy(),)).outdated == ()
    kept = other_strategy()
    kept["metadata"]["annotations"]["kit-deployer/freeze"] = "audit"
    assert plan_of(declared(DEPLOYMENT), deployments=(kept,)).outdated == ()


def test_what_a_service_still_needs_is_kept() -> None:
    labels = {"name": "web", "strategy": "fast-rollback"}
    old = {**other_strategy(), "spec": {"template": {"metadata": {"labels": labels}}}}
    items = declared(DEPLOYMENT + "---\n" + SERVICE)
    service = live(next(item for item in items if item.key.kind == "Service"))
    service["spec"]["selector"] = {"name": "web", "strategy": "fast-rollback"}
    alone = plan_of(declared(DEPLOYMENT), service, deployments=(old,))
    assert alone.outdated == (), "SELECTOR left the Service out, and its endpoints would go"
    assert "Service shop/web" in alone.notes[0]
    service["metadata"].pop("managedFields")
    assert plan_of(items, service, deployments=(old,)).outdated[0].body == old, "this run switches it first"


def test_orphaned_replica_sets_go_with_their_deployments() -> None:
    orphan = {**other_strategy("web-7-abc", **{"pod-template-hash": "abc"}), "kind": "ReplicaSet"}
    by_hand = {**other_strategy("by-hand"), "kind": "ReplicaSet"}
    owned = {**orphan, "metadata": {**orphan["metadata"], "name": "owned", "ownerReferences": [{"uid": "x"}]}}
    plan = plan_of(declared(DEPLOYMENT), deployments=(other_strategy(),), replica_sets=(orphan, owned, by_hand))
    assert [item.key.name for item in plan.outdated] == ["web-7", "web-7-abc"]


READS = DEPLOYMENT.replace("env: [{name: COLOUR, value: red}]", "envFrom: [{configMapRef: {name: settings}}]")


def test_who_still_runs_with_old_values() -> None:
    items = declared(f"{READS}---\n{CONFIG_MAP}")
    workload = live(items[0])
    old = live(declared(CONFIG_MAP.replace("red", "blue"))[0])
    assert [(str(a), str(b)) for a, b in not_restarting(plan_of(items, workload, old).actions)] == [
        ("Deployment shop/web", "ConfigMap shop/settings")]  # fmt: skip
    assert not_restarting(plan_of(items, workload, live(items[1])).actions) == []
    assert not_restarting(plan_of(items, old).actions) == [], "a new workload starts with the new values"
    before = live(declared(READS.replace("web:1", "web:0"))[0])
    assert not_restarting(plan_of(items, before, old).actions) == [], "a new image restarts it"
    dropped = READS.replace("resources:", "args: [x]\n        resources:")
    assert not_restarting(plan_of(items, live(declared(dropped)[0]), old).actions) == [], "so does an argument dropped"
    scaled_only = live(declared(READS.replace("replicas: 2", "replicas: 5"))[0])
    assert len(not_restarting(plan_of(items, scaled_only, old).actions)) == 1


def test_every_way_to_read_configuration() -> None:
    text = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: a}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          initContainers: [{name: i, envFrom: [{secretRef: {name: s1}}]}]
          containers:
          - name: c
            env:
            - {name: A, valueFrom: {configMapKeyRef: {name: c1, key: k}}}
            - {name: B, valueFrom: {secretKeyRef: {name: s2, key: k}}}
          volumes:
          - {name: v1, configMap: {name: c2}}
          - {name: v2, secret: {secretName: s3}}
          - {name: v3, projected: {sources: [{configMap: {name: c3}}, {secret: {name: s4}}]}}
"""
    found = referenced(one(text).body, "shop")
    assert {f"{key.kind[0].lower()}:{key.name}" for key in found} == {
        "c:c1", "c:c2", "c:c3", "s:s1", "s:s2", "s:s3", "s:s4"}  # fmt: skip


def test_what_the_server_cannot_check() -> None:
    text = """\
apiVersion: v1
kind: Namespace
metadata: {name: new}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: new}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, names: {kind: Widget}}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
"""
    plan = plan_of(declared(text))
    found = {action.key.name: unchecked(action, plan) for action in plan.actions}
    assert found == {
        "new": "",
        "widgets.example.com": "",
        "a": "namespace new is only created by the run",
        "w": "its definition Widget.example.com is only created by the run",
        "b": "",
    }


def test_a_frozen_object_is_left_out_and_named() -> None:
    frozen = declared(CONFIG_MAP.replace("settings}", "settings, annotations: {kit-deployer/freeze: audit}}"))
    other = live(declared(CONFIG_MAP.replace("red", "blue"))[0])
    for bodies in ((), (other,)):
        plan = plan_of(frozen, *bodies, wishes=Wishes(force=True))
        assert did(plan) == {"ConfigMap": "keep"}
        assert plan.notes == ("ConfigMap shop/settings is left out of this run (frozen: audit)",)
