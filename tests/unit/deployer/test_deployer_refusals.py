# SPDX-License-Identifier: MIT
"""What the server's refusals become: a sentence with the manifest's place, and never a secret."""

from __future__ import annotations

import base64

import pytest

from kit_deployer.objects import at_pointer
from kit_deployer.plan.plan import Action
from kit_deployer.rollout.refusals import explained
from kit_deployer.server.failures import ApiError
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, declared


def refusal(text: str, message: str, *secrets: str) -> str:
    error = ApiError("Applying was refused", where="east", status=422, reason="Invalid", message=message, details={})
    return str(explained(error, Action("create", declared(text)[0]), "east", secrets))


def test_a_refusal_never_quotes_what_came_from_a_secret_source() -> None:
    text = DEPLOYMENT.replace("value: red", "value: hunter2-canary")
    quoted = 'env[0].value: Invalid value: "hunter2-canary": too long'
    shown = refusal(text, quoted, "/spec/template/spec/containers/0/env/0/value", "/not/there")
    assert "hunter2" not in shown
    assert 'Invalid value: "***": too long' in shown
    assert "east: shop/web.yaml:1:1" in shown
    assert '"red"' in refusal(CONFIG_MAP, 'data.colour: Invalid value: "red"'), "what is no secret helps"


def test_a_refusal_never_quotes_a_secret() -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: hunter2-canary}\n"
    encoded = base64.b64encode(b"hunter2-canary").decode()
    assert "hunter2" not in refusal(text, 'Invalid value: "hunter2-canary"')
    assert encoded not in refusal(text, f'Invalid value: "{encoded}"')


@pytest.mark.parametrize(
    "message", ["failed to create typed patch object (x)", "failed to convert new object (x) to proper version"]
)
def test_a_wrong_type_is_the_manifests_also_where_the_server_speaks_of_an_inner_error(message: str) -> None:
    error = ApiError("Applying was refused", where="east", status=500, reason="x", message=message, details={})
    told = str(explained(error, Action("create", declared(CONFIG_MAP)[0]), "east"))
    assert "Correct the manifest (shop/web.yaml:1:1)" in told


@pytest.mark.parametrize(
    ("pointer", "value"), [("/a~1b/0/c~0d", 1), ("/a~1b/9", None), ("/a~1b/x", None), ("/nowhere/0", None)]
)
def test_pointers(pointer: str, value: object) -> None:
    assert at_pointer({"a/b": [{"c~d": 1}]}, pointer) == value
