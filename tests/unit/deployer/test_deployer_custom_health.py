# SPDX-License-Identifier: MIT
"""Custom resources, and what annotations ask of any object's health."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_deployer.health.asked import Asked, asked_of, asks, check_asked, condition, conditions, duration
from kit_deployer.health.judge import checked
from kit_deployer.health.model import Expected
from kit_deployer.objects import GroupKind, Json, Manifest, Place
from tests.unit.deployer.kubelet import deployment, watch


def bucket(*conditions: tuple[str, str], generation: int = 1, observed: int | None = None, **status: Any) -> Json:
    if observed is not None:
        status["observedGeneration"] = observed
    status["conditions"] = [
        {"type": name, "status": value, "reason": f"{name}Reason", "message": f"{name} told so"}
        for name, value in conditions
    ]
    meta = {"name": "assets", "namespace": "shop", "uid": "u", "generation": generation}
    return {"apiVersion": "storage.example.com/v1", "kind": "Bucket", "metadata": meta, "status": status}


@pytest.mark.parametrize(
    ("body", "state", "why"),
    [
        (bucket(("Ready", "True")), "ready", "ready"),
        (bucket(("Ready", "True"), observed=1), "ready", "ready"),
        (bucket(("Ready", "True"), generation=2, observed=1), "waiting", "has not seen the change yet"),
        (bucket(("Ready", "False")), "waiting", "not Ready: ReadyReason: Ready told so"),
        (bucket(("Ready", "Unknown")), "waiting", "not Ready"),
        (bucket(("Ready", "True"), ("Reconciling", "True")), "waiting", "being reconciled: ReconcilingReason"),
        (bucket(("Reconciling", "False"), ("Stalled", "False")), "ready", "there"),
        (bucket(), "waiting", "up, but not long enough"),
    ],
)
def test_the_conditions_that_controllers_write(body: Json, state: str, why: str) -> None:
    verdict = watch(body).at(0, body)
    assert verdict.state == state
    assert why in verdict.why


def test_a_condition_of_an_older_generation_says_nothing() -> None:
    body = bucket(("Ready", "True"), generation=2)
    body["status"]["conditions"][0]["observedGeneration"] = 1
    assert watch(body).at(0, body).state == "waiting"


def test_stalled_is_a_failure_with_what_the_controller_says() -> None:
    body = bucket(("Stalled", "True"), ("Ready", "False"))
    looks = watch(body)
    looks.at(0, body)
    verdict = looks.at(10, body)
    assert verdict.state == "failed"
    assert (verdict.findings[0].cause.reason, verdict.findings[0].cause.message) == ("StalledReason", "Stalled told so")


def test_a_silent_one_is_healthy_after_a_moment_or_at_once_where_nothing_changed() -> None:
    body = bucket()
    looks = watch(body)
    assert looks.at(0, body).state == "waiting", "its controller may only not have seen it yet"
    assert looks.at(3, body).state == "ready"
    assert watch(body, expected=Expected(fresh=False)).at(0, body).state == "ready"


def test_which_kinds_are_asked() -> None:
    assert checked(GroupKind("cert-manager.io", "Certificate"))
    assert checked(GroupKind("gateway.networking.k8s.io", "Gateway"))
    assert not checked(GroupKind("networking.k8s.io", "Ingress"))
    assert not checked(GroupKind("rbac.authorization.k8s.io", "Role"))


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("{.status.phase}=Running", True),
        (".status.phase=Running", True),
        ("status.phase=Running", True),
        ("$.status.phase = 'Running'", True),
        ("$.status.phase=Pending", False),
        ('.status.conditions[?(@.type=="Ready")].status=True', True),
        ("{.status.conditions[?(@.type=='Ready')].status}", True),
        ("$.status.conditions[?@.type=='Synced' && @.status=='True']", False),
        ("$.status[?(@.replicas >= 3)]", False),
        (".status.replicas=3", True),
        (".status.done=true", True),
        (".status.done", True),
        (".status.failed", False),
        (".status.failed=false", True),
        (".status.nothing", False),
        (".status.nothing=x", False),
        (r".metadata.labels.app\.kubernetes\.io/name=web", True),
        (".status.nodes[*].up=true", False),
        (".status.nodes[0].up=true", True),
        (".status.replicas[?(@.x > 'a')]", False),
    ],
)
def test_paths_as_kubectl_and_the_standard_write_them(line: str, holds: bool) -> None:
    body = {
        "metadata": {"labels": {"app.kubernetes.io/name": "web"}},
        "status": {
            "phase": "Running", "replicas": 3, "done": True, "failed": False,
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "False"}],
            "nodes": [{"up": True}, {"up": False}],
        },
    }  # fmt: skip
    assert condition(line).holds(body, every=True) is holds


def annotated(body: Json, **annotations: str) -> Json:
    named = {f"kit-deployer/{name.replace('_', '-')}": value for name, value in annotations.items()}
    return {
        **body,
        "metadata": {**body["metadata"], "annotations": {**body["metadata"].get("annotations", {}), **named}},
    }


def test_every_line_of_ready_when_must_hold_and_what_does_not_is_named() -> None:
    asked = asked_of(annotated(bucket(), ready_when=".status.phase=Bound\n.status.url\n"))
    expected = Expected(asked=asked, fresh=False)
    looks = watch(bucket(), expected=expected)
    verdict = looks.at(0, bucket(("Ready", "True"), phase="Bound"))
    assert verdict.state == "waiting"
    assert ".status.url does not hold yet (kit-deployer/ready-when); found: nothing" in verdict.why
    body = bucket(("Ready", "False"), phase="Bound", url="x")
    assert watch(body, expected=expected).at(0, body).state == "ready", "it takes the place of the usual conditions"
    late = bucket(phase="Bound", url="x", generation=2, observed=1)
    assert watch(body, expected=expected).at(0, late).state == "waiting", "that was said of what it was before"


def test_on_a_deployment_ready_when_comes_on_top() -> None:
    expected = Expected(asked=Asked(ready=conditions(".status.warm")), fresh=False)
    up = deployment(updated=1, available=1)
    assert watch(up, expected=expected).at(0, up).state == "waiting"
    warm = {**up, "status": {**up["status"], "warm": True}}
    assert watch(up, expected=expected).at(0, warm).state == "ready"
    down = deployment()
    down["status"]["warm"] = True
    assert watch(up, expected=expected).at(0, down).state == "waiting"


def test_any_line_of_failed_when_ends_it() -> None:
    expected = Expected(asked=Asked(failed=conditions(".status.phase=Lost\n.status.nodes[*].down")))
    for status in ({"phase": "Lost"}, {"nodes": [{"down": False}, {"down": True}]}):
        body = bucket(("Ready", "True"), **status)
        looks = watch(body, expected=expected)
        looks.at(0, body)
        verdict = looks.at(10, body)
        assert verdict.state == "failed"
        assert "kit-deployer/failed-when" in verdict.findings[0].cause.message


def test_a_time_of_its_own() -> None:
    expected = Expected(asked=Asked(timeout=90.0))
    looks = watch(deployment(), expected=expected)
    looks.at(0, deployment())
    assert looks.at(89, deployment()).state == "waiting"
    verdict = looks.at(90, deployment())
    assert (verdict.state, verdict.seconds) == ("timeout", 90)
    longer = watch(deployment(), expected=Expected(asked=Asked(timeout=1800.0)))
    longer.at(0, deployment())
    assert longer.at(1799, deployment()).state == "waiting"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5s", 1.5), ("10m", 600), ("1h30m", 5400), ("1h2m3s", 3723)]
)
def test_units_of_time(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        *[("timeout", value, "is no time; write seconds") for value in ("", "0", "-5", "soon", "10 min", "5d", "200h")],
        ("ready-when", " \n", "it is empty"),
        ("ready-when", ".status[", "is no JSONPath"),
        ("ready-when", ".status.phase=Running\n.status.conditions[?(@.type=]", "is no JSONPath"),
        ("failed-when", "=Failed", "has no path"),
        ("failed-when", "{}", "has no path"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line_before_anything_is_applied(name: str, value: str, why: str) -> None:
    full = f"kit-deployer/{name}"
    body = {**bucket(), "metadata": {"name": "assets", "annotations": {full: value}}}
    places = {("metadata", "annotations", full): Place("shop/bucket.yaml", 7)}
    manifest = Manifest(body, Place("shop/bucket.yaml", 1), lambda *path: places[path])
    with pytest.raises(InputError) as error:
        check_asked([manifest])
    assert error.value.exit_code == 2
    assert (error.value.file, error.value.line) == ("shop/bucket.yaml", 7)
    assert full in str(error.value)
    assert why in str(error.value)


def test_what_asks_for_nothing() -> None:
    assert asked_of(bucket()) == Asked()
    assert not asks(bucket())
    assert asks(annotated(bucket(), failed_when=".status.x"))


@given(st.text(max_size=40))
def test_no_annotation_makes_a_traceback(text: str) -> None:
    """What people write is read or refused in a sentence; what was read can be asked of any object."""
    try:
        found = conditions(text)
    except ValueError:
        return
    for each in found:
        each.holds(bucket(("Ready", "True"), phase="Bound"), every=True)
