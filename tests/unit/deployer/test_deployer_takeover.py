# SPDX-License-Identifier: MIT
"""Fields that others wrote: which of them become ours, and which stay with whoever wrote them."""

from __future__ import annotations

import copy
import json

import pytest

from kit_deployer.objects import Json
from kit_deployer.plan.managedfields import owned_paths_missing
from kit_deployer.plan.takeover import takeover, takeover_of_the_unrecorded


def entry(manager: str, operation: str = "Update", fields: Json | None = None, **more: str) -> Json:
    return {"manager": manager, "operation": operation, "fieldsV1": fields or {}, "time": "T", **more}


def with_fields(*entries: Json) -> Json:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "managedFields": list(entries)}}


SCALED: Json = {"f:spec": {"f:replicas": {}, "f:template": {}}}


@pytest.mark.parametrize("manager", ["kubectl", "kubectl-client-side-apply", "kubectl-create", "kubectl-edit", "helm"])
def test_takeover_of_what_client_side_tools_wrote(manager: str) -> None:
    status = entry("kube-controller-manager", subresource="status")
    fields = takeover(with_fields(entry(manager, fields=copy.deepcopy(SCALED)), status), keep_replicas=False)
    assert fields is not None
    assert fields[0] == status
    ours = fields[1]
    assert (ours["manager"], ours["operation"], ours["fieldsV1"]) == ("kit-deployer", "Apply", SCALED)


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (entry("kube-controller-manager"),),
        (entry("kubectl", subresource="scale"),),
        (entry("kubectl", "Apply"),),
        (entry("kubectl", fields=SCALED), entry("kit-deployer", "Apply")),
    ],
    ids=["nobody", "a controller", "a subresource", "server-side already", "ours before"],
)
def test_no_takeover(entries: tuple[Json, ...]) -> None:
    assert takeover(with_fields(*entries), keep_replicas=False) is None


def test_replicas_under_an_autoscaler_stay_with_whoever_wrote_them() -> None:
    fields = takeover(with_fields(entry("kubectl", fields=copy.deepcopy(SCALED))), keep_replicas=True)
    assert fields is not None
    assert fields[0]["manager"] == "kubectl"
    assert fields[0]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert fields[1]["fieldsV1"] == {"f:spec": {"f:template": {}}}


def test_whoever_noted_what_it_applied_applies_client_side() -> None:
    """The original, and anything else that did as kubectl does, whatever it called itself."""
    noted: Json = {"f:metadata": {"f:annotations": {"f:kit-deployer/last-applied-configuration": {}}}, "f:data": {}}
    for manager in ("node-fetch", "unknown", ""):
        fields = takeover(with_fields(entry(manager, fields=copy.deepcopy(noted))), keep_replicas=False)
        assert fields is not None
        assert [(one["manager"], one["fieldsV1"]) for one in fields] == [("kit-deployer", noted)]
        other = entry(manager, fields={"f:data": {}})
        assert takeover(with_fields(other), keep_replicas=False) is None, "a controller may call itself anything"


RESTARTED: Json = {
    "f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}}}
}


def test_a_restart_by_kubectl_is_not_undone_since_that_would_restart_all_pods() -> None:
    applied = entry("kubectl-client-side-apply", fields=copy.deepcopy(SCALED))
    fields = takeover(
        with_fields(applied, entry("kubectl-rollout", fields=copy.deepcopy(RESTARTED))), keep_replicas=False
    )
    assert fields is not None
    assert [(one["manager"], one["fieldsV1"]) for one in fields] == [
        ("kubectl-rollout", RESTARTED), ("kit-deployer", SCALED)]  # fmt: skip


def test_of_what_nobody_kept_account_of_only_what_was_applied_becomes_ours() -> None:
    """An object of old, from before servers kept account: it holds what controllers wrote as well."""
    applied = {
        "kind": "Deployment",
        "spec": {"template": {"x": 1}, "containers": [{"name": "a", "env": 1}], "set": ["x"]},
    }
    before = with_fields()
    before["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)}
    items: Json = {'k:{"name":"a"}': {".": {}, "f:env": {}, "f:image": {}}, 'k:{"name":"b"}': {".": {}}}
    spec = {"f:template": {"f:x": {}, "f:y": {}}, "f:containers": items, "f:set": {'v:"x"': {}, 'v:"y"': {}}}
    note: Json = {"f:kubectl.kubernetes.io/last-applied-configuration": {}}
    unrecorded = {"f:metadata": {"f:annotations": note}, "f:spec": spec}
    after = with_fields(
        entry("kit-deployer", "Apply", {"f:spec": {"f:template": {"f:x": {}}}}),
        entry("before-first-apply", fields=unrecorded),
    )
    fields = takeover_of_the_unrecorded(before, after, keep_replicas=False)
    assert fields is not None
    rest, ours = fields
    assert rest["manager"] == "before-first-apply"
    assert rest["fieldsV1"] == {
        "f:spec": {
            "f:template": {"f:y": {}},
            "f:containers": {
                'k:{"name":"a"}': {"f:image": {}},
                'k:{"name":"b"}': {".": {}},
            },
            "f:set": {'v:"y"': {}},
        }
    }
    assert ours["fieldsV1"] == {
        "f:metadata": {"f:annotations": note},
        "f:spec": {
            "f:template": {"f:x": {}},
            "f:containers": {'k:{"name":"a"}': {".": {}, "f:env": {}}},
            "f:set": {'v:"x"': {}},
        },
    }
    assert takeover_of_the_unrecorded(after, after, keep_replicas=False) is None
    assert takeover(before, keep_replicas=False) is None


def test_our_replicas_are_let_go_without_losing_their_value() -> None:
    fields = takeover(with_fields(entry("kit-deployer", "Apply", copy.deepcopy(SCALED))), keep_replicas=True)
    assert fields is not None
    assert fields[0]["fieldsV1"] == {"f:spec": {"f:template": {}}}
    assert fields[1]["operation"] == "Update"
    assert fields[1]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    again = with_fields(*fields)
    assert takeover(again, keep_replicas=True) is None


def test_owned_keys_that_the_manifest_dropped() -> None:
    fields = {
        "f:metadata": {"f:annotations": {"f:kit-deployer/commit": {}, "f:mine": {}}, "f:labels": {"f:id": {}}},
        "f:spec": {
            "f:ports": {
                'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}},
                'k:{"port":81,"protocol":"TCP"}': {".": {}, "f:port": {}},
            },
            "f:finalizers": {'v:"x"': {}},
        },
    }
    found = with_fields(entry("kit-deployer", "Apply", fields))
    body: Json = {"metadata": {"labels": {"id": "x"}}, "spec": {"ports": [{"port": 80}], "finalizers": []}}
    assert owned_paths_missing(found, body) == ("metadata.annotations.mine", "spec.ports[81,TCP]", "spec.finalizers[x]")
    body["metadata"]["annotations"] = {"mine": "x"}
    body["spec"]["finalizers"] = ["x"]
    assert owned_paths_missing(found, body) == ("spec.ports[81,TCP]",)
