# SPDX-License-Identifier: MIT
"""Credentials that go by something else than their own key, and what looks nearly like one and must be seen."""

import pytest

from kit_deploymentizer.diff.masking import masked_pair
from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop


@pytest.mark.parametrize(
    "text",
    [
        "a: postgres://me:ca/nary@host/x\n",
        "a: 'amqp://me:c/ana/ry@one:5672,amqp://you:ca/nary@two:5672'\n",
        "a: redis://:ca/nary@host\n",
        "args: [mysqldump, -u, root, -pcanary, shop]\n",
        "command: [/usr/bin/mysql]\nargs: [-uroot, -pcanary]\n",
        "args: [sh, -c, \"mysql -u root -p'canary' shop && echo done\"]\n",
        "args: [sh, -c, sshpass -p canary ssh host]\n",
        "command: [redis-cli, -a, canary, ping]\n",
        "args: [sh, -c, 'curl -s -u me:canary https://host/x']\n",
        "data:\n  a: |\n    env:\n      - name: DB_PASSWORD\n        value: canary\n",
        "data:\n  a: |\n    env:\n      - value: \"canary\"\n        name: DB_PASSWORD\n",
        "data:\n  a: |\n    database:\n      password:\n        value: canary\n",
        "data:\n  a: |\n    tokens:\n      ci: canary\n      web:\n        staging: canary\n",
        "data:\n  a: '{\"env\": [{\"name\": \"DB_PASSWORD\", \"value\": \"canary\"}]}'\n",
        'data:\n  a: "[{\\"value\\":\\"canary\\",\\"name\\":\\"API_TOKEN\\"}]"\n',
        "spec: {tokens: {ci: canary, web: {staging: canary}}}\n",
        "spec: {passwords: {db: canary}, apiKeys: {maps: canary}, db-credentials: {pin: canary}}\n",
    ],
)  # fmt: skip
def test_credentials_by_what_is_around_them(text: str) -> None:
    text = "kind: A\n" + text
    shown = masked_pair(None, text)[1]
    assert not {"canary", "nary", "ana"} & set(shown.replace("/", " ").replace("'", " ").split())
    assert "canary" not in shown
    assert "nary" not in shown.replace("canary", "")
    assert "***" in shown
    assert "(changed)" in masked_pair(text.replace("nary", "nari"), text)[1]


@pytest.mark.parametrize(
    "text",
    [
        "image: registry.example.com:5000/shop/web@sha256:0123456789abcdef\n",
        "a: http://host:8080/path@next/@scope\nb: http://$(HOST):$(PORT)/a@b\nc: https://host/u:p/x@y\n",
        "a: git@github.com:shop/web.git\nb: ssh://git@host:22/shop/web\n",
        "args: [-p8080:80, -parallel, -path, /x]\ncommand: [mkdir, -p, /data]\n",
        "args: [sh, -c, 'mkdir -p /data; ssh -p 2 x; mysql -p shop; curl -u me https://x; docker run -p 80:80 x']\n",
        "args: [mysql, -p$(PASSWORD), -p$PASSWORD, --port=3306]\n",
        ("data:\n  a: |\n    env:\n      - name: WORKERS\n        value: '4'\n      - name: DB_PASSWORD\n"
        "        valueFrom:\n          secretKeyRef: {name: db, key: password}\n      - name: LEVEL\n"
        "        value: debug\n"),
        "data:\n  a: |\n    limits:\n      tokens: 5\n    log:\n      level: info\n      value: x\n",
        ("spec:\n  volumes:\n  - name: x\n    secret: {secretName: db, items: [{key: a, path: b}]}\n"
        "  - name: y\n    projected: {sources: [{serviceAccountToken: {path: token, audience: vault}}]}\n"),
        "imagePullSecrets: [{name: regcred}]\nsecrets: [{name: a}]\n",
        "env:\n- name: DB_PASSWORD\n  valueFrom: {secretKeyRef: {name: db, key: password, optional: false}}\n",
        "envFrom: [{secretRef: {name: db}}]\n",
        "auth: {kubernetes: {mountPath: kubernetes, role: shop}}\nauthorization: {mode: RBAC}\n",
        "credentials: {username: me, host: db, secretRef: {name: db}}\n",
        "spec: {secretStoreRef: {name: vault, kind: SecretStore}, data: [{remoteRef: {key: b}}]}\n",
    ],
)  # fmt: skip
def test_what_is_none_is_seen(text: str) -> None:
    text = "kind: A\n" + text
    assert masked_pair(None, text)[1] == text


@pytest.mark.parametrize(
    "value",
    ["mysql " * 50_000, "curl -u " * 40_000, "- name: a\n    " * 30_000, '"name":"a","value":' * 20_000,
     "a://u:" + "x/" * 100_000, "tokens:\n    " * 30_000, "a://u:x/" * 40_000],
)  # fmt: skip
def test_a_long_text_takes_linear_time(value: str) -> None:
    assert masked_pair(None, f"kind: ConfigMap\ndata:\n  x: |\n    {value}\n")[1].startswith("kind: ConfigMap")


def test_explain_shows_none_of_several_credentials(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"base-var.yaml": "kind: ResourceConfig\ntokens: {ci: canary, name: seen}\n"})
    out = workshop.run("explain", "east", "app", "tokens").out
    assert "canary" not in out
    assert "seen" in out
