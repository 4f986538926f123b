# SPDX-License-Identifier: MIT
"""The difference of two states of an object: complete, matched by name, without noise, without secrets."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_deployer.diff.difference import MOST_LINES, unified
from kit_deployer.diff.foreseen import foresee, without_released
from kit_deployer.diff.lines import LONGEST, lines
from kit_deployer.diff.masking import masked
from kit_deployer.objects import Json, Key

KEY = Key("", "ConfigMap", "shop", "settings")

words = st.text("abcxyz \n:#-'\"{}[]|\t0.é", max_size=12)
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 2).map(lambda x: round(x, 1)) | words
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "key", "value", "ports", "x", "y z"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def config_map(data: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}


def pod(*containers: Json) -> Json:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": list(containers)}}


def web(**env: str) -> Json:
    return {"name": "web", "image": "shop/web:1", "env": [{"name": key, "value": value} for key, value in env.items()]}


def changed(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]


@given(old=trees, new=trees)
def test_empty_exactly_where_nothing_differs(old: Any, new: Any) -> None:
    """Types count: to YAML, 1 is neither true nor '1'. So does the order of what has no name."""
    same = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert (unified(KEY, config_map(old), config_map(new)) == "") is same


maps = st.dictionaries(st.sampled_from(["name", "key", "ports", "x y"]), trees, max_size=4)


@given(old=maps, new=maps)
def test_both_states_can_be_read_from_the_lines(old: Any, new: Any) -> None:
    """What stays and what goes is the old state as it is written alone; what stays and what comes the new one."""
    found = list(lines({"all": old}, {"all": new}))

    def alone(state: Any) -> list[str]:
        return sorted(line.text.replace("- ", "  ") for line in lines(None, {"all": state}))

    for state, gone in ((old, "+"), (new, "-")):
        rest = [line.text for line in found if line.mark != gone]
        assert sorted(text.replace("- ", "  ") for text in rest) == alone(state)


SECRETS = st.text("qwertzuiopQWERTZ1357", min_size=8, max_size=20).map(lambda text: f"S{text}")


@given(old=SECRETS, new=SECRETS, place=st.integers(0, 7), shift=st.booleans())
def test_a_hidden_value_is_never_seen_and_its_change_always(old: str, new: str, place: int, shift: bool) -> None:
    def state(secret: str) -> Json:
        body = pod(web(COLOUR="red"))
        container = body["spec"]["containers"][0]
        match place:
            case 0:
                container["env"].append({"name": "DB_PASSWORD", "value": secret})
            case 1:
                container["args"] = ["-v", f"--token={secret}"]
            case 2:
                container["args"] = ["--password", secret]
            case 3:
                container["env"].append({"name": "DATABASE", "value": f"postgres://shop:{secret}@db/shop"})
            case 4:
                body["metadata"]["annotations"] = {"settings": f"a=1\napi_key={secret}\nb=2\n"}
            case 5:
                container["env"].append({"name": "INNOCENT", "value": secret})
            case 6:
                body["spec"]["template"] = {"kind": "Secret", "stringData": {"any": secret}}
            case _:
                body |= {"kind": "Secret", "data": {"any": secret}}
        return body

    before, after, manifest = state(old), state(new), state(new)
    if shift:  # a webhook puts its own in front
        for body in (before, after):
            body["spec"]["containers"].insert(0, {"name": "agent", "image": "agent:1"})
    pointer = "/spec/containers/0/env/1/value"
    diff = unified(KEY, before, after, manifest=manifest, secrets=[pointer] if place == 5 else [])
    assert old not in diff
    assert new not in diff
    assert (diff == "") is (old == new)
    if old != new:
        assert "*** (changed)" in diff
        assert len(unified(KEY, before, state(new + "tail"), manifest=manifest, secrets=[pointer])) > 0
    for body in (before, after):
        whole = unified(KEY, None, body, manifest=manifest, secrets=[pointer] if place == 5 else [])
        assert old not in whole
        assert new not in whole
        assert "***" in whole


def test_masks_tell_nothing_of_what_they_hide() -> None:
    short, long = ({"kind": "Secret", "metadata": {}, "data": {"a": value}} for value in ("x", "x" * 5000))
    assert masked(short, long, None, ()) == masked(long, short, None, ())


def test_a_secret_that_moves_without_a_name_is_seen_as_changed() -> None:
    old, new = ({"metadata": {}, "passwords": list(items)} for items in (["first-one", "second"], ["second"]))
    assert unified(KEY, {**config_map({}), **old}, {**config_map({}), **new}) != ""
    swapped = {"metadata": {}, "passwords": ["second", "first-one"]}
    assert "*** (changed)" in unified(KEY, {**config_map({}), **old}, {**config_map({}), **swapped})


def test_new_containers_and_variables_do_not_shift_the_others() -> None:
    before = pod(web(COLOUR="red", SIZE="1"), {"name": "agent", "image": "agent:1"})
    after = pod({"name": "first", "image": "first:1"}, web(LANGUAGE="de", COLOUR="red", SIZE="2"),
                {"name": "agent", "image": "agent:1"})  # fmt: skip
    assert changed(unified(KEY, before, after)) == [
        "+  - name: first", "+    image: first:1", "+    - name: LANGUAGE", "+      value: de", "-      value: '1'",
        "+      value: '2'",
    ]  # fmt: skip


def test_parts_say_where_they_are() -> None:
    before = pod(web(COLOUR="red", A="1", B="2", C="3"), {"name": "agent", "image": "agent:1"})
    after = copy.deepcopy(before)
    after["spec"]["containers"][0]["env"][3]["value"] = "4"
    assert "@@ -14,6 +14,6 @@ spec.containers[web].env[C]" in unified(KEY, before, after).splitlines()


def test_texts_of_several_lines_are_compared_by_line() -> None:
    before, after = (config_map({"app.conf": f"a = 1\nb = {value}\npassword = {value}x\nc = 3\n"}) for value in "12")
    assert changed(unified(KEY, before, after)) == [
        "-    b = 1", "-    password = ***", "+    b = 2", "+    password = *** (changed)",
    ]  # fmt: skip


def test_of_a_long_value_the_change_is_shown() -> None:
    before, after = (config_map({"blob": "x" * 100_000 + end + "y" * 100_000}) for end in "ab")
    gone, come = changed(unified(KEY, before, after))
    assert "xay" in gone
    assert "xby" in come
    assert "200001 characters" in come
    assert len(come) < 2 * LONGEST


def test_of_a_huge_change_the_rest_is_counted() -> None:
    before, after = (config_map({f"key-{n}": f"{side}-{n}" for n in range(5000)}) for side in ("old", "new"))
    shown = unified(KEY, before, after).splitlines()
    assert len(shown) < MOST_LINES + 5
    assert shown[-1].startswith("\\ ")
    assert shown[-1].endswith("more lines are left out")


def test_what_cannot_be_shown_is_said() -> None:
    deep: Any = 1
    for _ in range(400):
        deep = {"a": deep}
    diff = unified(KEY, config_map(1), config_map(deep))
    assert "nested too deeply" in diff or "a:" in diff


DEFAULTS: dict[str, Any] = {
    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "resources": {},
    "imagePullPolicy": "IfNotPresent",
}  # fmt: skip


def test_defaults_are_no_news_unless_somebody_wrote_them() -> None:
    manifest = pod({**web(), "imagePullPolicy": "IfNotPresent"})
    result = pod({**web(), **DEFAULTS}, {"name": "injected", "image": "mesh:1", **DEFAULTS})
    result["spec"] |= {"dnsPolicy": "ClusterFirst", "tolerations": [{"key": "from-a-webhook"}]}
    diff = unified(KEY, None, result, manifest=manifest)
    assert "terminationMessage" not in diff
    assert "dnsPolicy" not in diff
    assert diff.count("imagePullPolicy") == 1
    assert "mesh:1" in diff
    assert "from-a-webhook" in diff, "what a webhook adds is no default"
    live = pod({**web(), **DEFAULTS, "imagePullPolicy": "Always"})
    result = pod({**web(), **DEFAULTS})
    assert changed(unified(KEY, live, result, manifest=pod(web()))) == [
        "-    imagePullPolicy: Always", "+    imagePullPolicy: IfNotPresent",
    ]  # fmt: skip


def managed(fields: Json, manager: str = "kit-deployer", operation: str = "Apply") -> Json:
    return {"manager": manager, "operation": operation, "fieldsV1": fields}


def test_what_is_foreseen_follows_server_side_apply() -> None:
    live = config_map({"kept": "1", "ours": "2", "shared": "3", "theirs": "4"})
    ours: Json = {"f:data": {"f:kept": {}, "f:ours": {}, "f:shared": {}}}
    live["metadata"]["managedFields"] = [managed(ours), managed({"f:data": {"f:shared": {}, "f:theirs": {}}}, "other")]
    declared = config_map({"kept": "changed", "new": "5"})
    result = foresee(declared, live, None)
    assert result["data"] == {"kept": "changed", "shared": "3", "theirs": "4", "new": "5"}
    assert live["data"]["ours"] == "2", "what is live is not touched"
    assert foresee(declared, None, None) == declared


def test_what_is_foreseen_of_lists() -> None:
    live = pod(web(COLOUR="red", OLD="1"), {"name": "mesh", "image": "mesh:1"})
    live["spec"]["finalizers"] = ["a", "b"]
    env: Json = {'k:{"name":"COLOUR"}': {".": {}, "f:name": {}, "f:value": {}},
           'k:{"name":"OLD"}': {".": {}, "f:name": {}, "f:value": {}}}  # fmt: skip
    fields = {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:image": {}, "f:env": env}},
                         "f:finalizers": {'v:"a"': {}}}}  # fmt: skip
    live["metadata"]["managedFields"] = [managed(fields)]
    declared = pod(web(COLOUR="blue", NEW="2"))
    declared["spec"]["finalizers"] = ["c"]
    result = foresee(declared, live, None)
    names = [container["name"] for container in result["spec"]["containers"]]
    assert names == ["web", "mesh"], "what others put in stays"
    assert result["spec"]["containers"][0]["env"] == web(COLOUR="blue", NEW="2")["env"]
    assert sorted(result["spec"]["finalizers"]) == ["b", "c"]


def test_another_spelling_is_no_change() -> None:
    live, declared = (pod({**web(), "resources": {"limits": {"cpu": cpu}}}) for cpu in ("1", "1000m"))
    assert unified(KEY, live, foresee(declared, live, None)) == ""


def test_a_dry_runs_result_loses_what_the_takeover_will_take() -> None:
    live = config_map({"kept": "1", "gone": "2", "others": "3"})
    taken = [managed({"f:data": {".": {}, "f:kept": {}, "f:gone": {}, "f:others": {}}}),
             managed({"f:data": {"f:others": {}}}, "controller", "Update")]  # fmt: skip
    declared = config_map({"kept": "1"})
    assert without_released(live, declared, live, taken)["data"] == {"kept": "1", "others": "3"}


@pytest.mark.parametrize("kind", ["Job", "Pod"])
def test_a_jobs_own_uid_is_noise(kind: str) -> None:
    def state(uid: str) -> Json:
        labels = {"controller-uid": uid, "app": "web"}
        return {
            "kind": kind,
            "metadata": {"labels": labels},
            "spec": {"selector": {"matchLabels": {"controller-uid": uid}}},
        }

    assert (unified(KEY, state("1"), state("2")) == "") is (kind == "Job")
