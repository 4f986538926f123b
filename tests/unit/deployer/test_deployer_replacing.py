# SPDX-License-Identifier: MIT
"""What may be deleted and made anew, what is refused and why, and what runs again."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kit_core.errors import InputError
from kit_deployer.desired.annotate import configuration, configuration_sha1
from kit_deployer.objects import Json
from kit_deployer.plan.inventory import Inventory
from kit_deployer.plan.jobs import decide_job
from kit_deployer.plan.plan import Action, Plan, Seen, Wishes, make_plan, to_await
from kit_deployer.plan.replacing import changed_fields, check_replace, is_immutable, propagation, why_not
from kit_deployer.rollout.refusals import conflicts, explained
from kit_deployer.server.failures import ApiError
from kit_deployer.strategies import STRATEGIES
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, JOB, SERVICE, WRITING, declared, live, one


def marked(text: str, value: str) -> str:
    return text.replace("{name: ", f"{{annotations: {{kit-deployer/replace: '{value}'}}, name: ", 1)


@pytest.mark.parametrize(
    "message",
    [
        "spec.selector: Invalid value: {}: field is immutable",
        "data: Forbidden: field is immutable when `immutable` is set",
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'template' are forbidden",
        "spec.clusterIPs[0]: Invalid value: [\"10.0.0.9\"]: may not change once set",
        "spec.loadBalancerClass: Invalid value: \"x\": may not change once set",
        "roleRef: Invalid value: {}: cannot change roleRef",
        "spec: Forbidden: spec is immutable after creation except resources.requests",
        "value: Forbidden: may not be changed in an update.",
        "parameters: Forbidden: updates to parameters are forbidden.",
    ],
)  # fmt: skip
def test_what_the_server_says_of_a_field_that_cannot_be_changed(message: str) -> None:
    assert is_immutable(message)
    assert not is_immutable("spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535")


def test_the_annotation_says_what_may_be_replaced() -> None:
    def why(text: str, **spec: Any) -> str:
        (item,) = declared(text)
        return why_not(item.manifest, item.key, live(item, **spec))

    assert 'kit-deployer/replace: "true"' in why(CONFIG_MAP)
    assert 'kit-deployer/replace: "true"' in why(marked(CONFIG_MAP, "false"))
    assert why(marked(CONFIG_MAP, "true")) == ""
    assert why(marked(SERVICE, "true")) == ""
    assert '"load-balancer"' in why(marked(SERVICE, "true"), type="LoadBalancer")
    assert why(marked(SERVICE, "load-balancer"), type="LoadBalancer") == ""
    for kind in ("PersistentVolumeClaim", "Namespace"):
        assert "is never replaced" in why(marked(CONFIG_MAP.replace("ConfigMap", kind), "true"))
    with pytest.raises(InputError, match="kit-deployer/replace is 'yes'"):
        check_replace(one(marked(CONFIG_MAP, "yes")))
    stateful = declared(DEPLOYMENT)[0].key
    assert propagation(stateful) == "Background"


def test_the_field_is_named_even_where_the_server_names_none() -> None:
    old: Json = {"spec": {"serviceName": "a", "replicas": 1, "template": {"x": 1}}}
    new: Json = {"spec": {"serviceName": "b", "replicas": 2, "template": {"x": 2}}}
    assert changed_fields(new, old, [{"field": "spec"}]) == "spec.serviceName"
    assert changed_fields(new, old, [{"field": "data"}]) == "data"
    assert changed_fields(new, old, [{"field": name} for name in "abcde"]) == "a, b, c and 2 more"


def test_a_conflict_names_manager_and_field() -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": 'conflict with "flux" using v1', "field": ".data.colour"},
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "hpa" with subresource "scale"',
            "field": ".spec.x",
        },
    ]
    error = ApiError(
        "Applying was refused", where="east", status=409, reason="Conflict", message="Apply failed with 2 conflicts",
        details={"causes": causes},
    )  # fmt: skip
    assert conflicts(error) == [("flux", "data.colour"), ("hpa", "spec.x")]
    text = str(explained(error, Action("change", declared(CONFIG_MAP)[0]), "east"))
    assert "data.colour is flux's, spec.x is hpa's" in text
    assert "KIT_CONFLICTS=force" in text


def planned(text: str, *bodies: Json, **seen: Any) -> Plan:
    items = declared(text)
    keys = {item.key: body for item, body in zip(items, bodies, strict=False)}
    world = Seen(objects=keys, **seen)
    return make_plan(items, world, writing=WRITING, wishes=Wishes(), strategy=STRATEGIES["rolling-update"])


def test_what_is_being_deleted_is_made_anew() -> None:
    body = live(declared(CONFIG_MAP)[0])
    body["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    (action,) = planned(CONFIG_MAP, body).actions
    assert (action.do, action.live, action.why) == ("rerun", body, "the one that is there is being deleted")


def test_a_completed_job_whose_time_to_live_is_over_is_neither_run_again_nor_awaited() -> None:
    body = live(declared(JOB)[0])
    body["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    body["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    plan = planned(JOB, body)
    assert [(action.do, action.state) for action in plan.actions] == [("keep", "completed")]
    assert to_await(plan, everything=True) == []


def originals(status: str = "Complete", **annotations: str) -> Json:
    """The Job that the original made of the same manifest: its name ends with the hash of the text."""
    manifest = one(JOB)
    digest = configuration_sha1(configuration(manifest))
    body = copy.deepcopy(manifest.body)
    body["metadata"] = {
        "name": f"migrate-{digest}",
        "namespace": "shop",
        "annotations": {
            "kit-deployer/original-name": "migrate",
            "kit-deployer/last-applied-configuration-sha1": digest,
            **annotations,
        },
    }
    body["status"] = {"conditions": [{"type": status, "status": "True"}]}
    return body


def test_what_the_original_has_run_is_not_run_again() -> None:
    (item,) = declared(JOB)
    done = originals()
    kept = decide_job(item, None, [done], None, force=False)
    assert kept == ("keep", f"completed as {done['metadata']['name']}", "completed")
    assert decide_job(item, None, [done], None, force=True)[0] == "create"
    assert decide_job(item, None, [originals("Failed")], None, force=False)[0] == "create"
    other = originals(**{"kit-deployer/last-applied-configuration-sha1": "x"})
    assert decide_job(item, None, [other], Inventory("shop"), force=False)[0] == "create"
