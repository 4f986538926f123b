# SPDX-License-Identifier: MIT
"""VALIDATE: what the APIs would refuse, secrets in templates, strings that are read as something else."""

import pytest

from kit_deploymentizer.checks.check import read_rendered, secret_pointers
from kit_deploymentizer.inputs.secret_values import SecretValue
from tests.unit.deploymentizer.workshop import Workshop

POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
  labels: {app: a, version: 2}
spec:
  selector: {matchLabels: {on: yes}}
  template:
    metadata: {annotations: {port: 80, none: null}}
    spec:
      nodeSelector: {fast: true}
      volumes: [{name: v}, {name: v}]
      containers:
      - name: c
        args: [a, 1]
        env:
        - {name: A, value: 3}
        - {name: B, value: '3'}
        - name: A
        volumeMounts: [{name: v, mountPath: /a}, {name: w, mountPath: /a}]
        ports:
        - {containerPort: 80}
        - {containerPort: 80, protocol: TCP}
        - {containerPort: 80, protocol: UDP}
      - name: c
"""


def test_what_a_pods_api_refuses_warns_with_its_line() -> None:
    findings = read_rendered(POD).findings
    string, twice = "and Kubernetes takes a string only (quote it)", "twice, which server-side apply refuses"
    assert [(finding.line, finding.text) for finding in findings] == [
        (5, f"the value of labels.version is read as a number, {string}"),
        (9, f"the value of annotations.port is read as a number, {string}"),
        (7, f"the value of matchLabels.true is read as a boolean, {string}"),
        (11, f"the value of nodeSelector.fast is read as a boolean, {string}"),
        (12, f"the pod has volume v {twice}"),
        (19, f"container c has env A {twice}"),
        (17, f"the value of env A of container c is read as a number, {string}"),
        (23, f"container c has ports 80/TCP {twice}"),
        (15, f"the value of args[1] is read as a number, {string}"),
        (20, f"container c has a volumeMount at /a {twice}"),
        (25, f"the pod has container c {twice}"),
    ]
    assert not any(finding.grave for finding in findings)


@pytest.mark.parametrize(
    ("kind", "rest", "line", "told"),
    [
        ("ConfigMap", "data:\n  a: '1'\n  b: 1\n", 6, "the value of data.b is read as a number"),
        ("ConfigMap", "data:\n  b: {c: d}\n", 5, "the value of data.b is read as a map"),
        ("Secret", "stringData:\n  b: no\n", 5, "the value of stringData.b is read as a boolean"),
        ("Service", "spec:\n  selector: {a: 1}\n", 5, "the value of selector.a is read as a number"),
        ("Service", "spec:\n  ports:\n  - {port: 1}\n  - {port: 1}\n", 7, "the Service has ports 1/TCP twice"),
        ("Pod", "spec: {containers: [{name: c, env: [{name: A}, {name: A}]}]}\n", 4, "container c has env A twice"),
        ("CronJob", "spec: {jobTemplate: {spec: {template: {spec: {containers: [{env: [{name: A, value: 1}]}]}}}}}",
         4, "the value of env A of container None is read as a number"),
    ],
)  # fmt: skip
def test_what_other_apis_refuse_warns_with_its_line(kind: str, rest: str, line: int, told: str) -> None:
    (finding,) = read_rendered(f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\n{rest}").findings
    assert finding.line == line
    assert finding.text.startswith(told)


@pytest.mark.parametrize(
    "rest",
    ["data: []", "data: text", "spec: []", "spec: {containers: text}", "spec: {ports: [null]}",
     "spec: {containers: [1, {env: x, ports: [1], args: x}]}"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["ConfigMap", "Secret", "Service", "Pod"])
def test_shapes_that_no_api_has_are_let_pass_here(kind: str, rest: str) -> None:
    assert read_rendered(f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: a, labels: x}}\n{rest}").findings == ()


def test_secrets_are_found_where_they_stand() -> None:
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {a/b~c: long-secret}}\n"
        "spec: {containers: [{env: [{name: PIN, value: '42'}, {name: PORT, value: '42'}, {name: URL, value:"
        " 'http://long-secret@host'}]}]}\ndata: {encoded: bG9uZy1zZWNyZXQ=, PIN: '42', number: 42}\n"
    )
    secrets = [SecretValue("KEY", "long-secret"), SecretValue("PIN", "42")]
    assert secret_pointers(read_rendered(text).objects, secrets) == [
        "/data/PIN",
        "/data/encoded",
        "/metadata/labels/a~1b~0c",
        "/spec/containers/0/env/0/value",
        "/spec/containers/0/env/2/value",
    ]


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("p@ss/word", "p@ss&#x2F;word"),
        ('say "friend"', '{\\"password\\": \\"say \\\\\\"friend\\\\\\"\\"}'),
        ("line 1\nline 2\n", "line 1\\nline 2"),
        ("line 1\nline 2\n", "bGluZSAxCmxpbmUgMgo="),
        ("line 1\nline 2", "bGluZSAxCmxpbmUgMgo="),
        ("gr\u00fc\u00dfend", "gr\\u00fc\\u00dfend"),
    ],
)
def test_secrets_are_found_as_templates_write_them(secret: str, shown: str) -> None:
    text = f'{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {{file: "{shown}", other: text}}}}'
    rendered = read_rendered(text)
    assert not rendered.findings
    assert secret_pointers(rendered.objects, [SecretValue("KEY", secret)]) == ["/data/file"]


def test_a_list_is_its_items() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {kind: B}\n"
    rendered = read_rendered(text)
    assert [(str(identity), line) for identity, line in rendered.identities] == [("ConfigMap a", 4)]
    assert [(finding.line, finding.text) for finding in rendered.findings] == [
        (5, "this is no Kubernetes object: it has no apiVersion")
    ]


@pytest.mark.parametrize(
    ("value", "read_as"),
    [("yes", "a boolean"), ("off", "a boolean"), ("y", "a boolean"), ("1e3", "another number"),
     ("'0123'", "another number"), ("'1.10'", "another number"), ("'1_000'", "another number"), ("'~'", "null"),
     ("'# x'", "null"), ("'0x1F'", "another number"), ("'12e4567'", "another number"),
     ("'3'", None), ("'true'", None), ("2", None), ("0644", None), ("true", None), ("''", None), ("plain", None),
     ("1.5", None)],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["mustache", "j2"])
def test_a_string_that_is_read_as_something_else_warns(
    workshop: Workshop, value: str, read_as: str | None, engine: str
) -> None:
    """What is no string in the settings is printed as it was meant there."""
    tag = "{{{ deployment.word }}}" if engine == "mustache" else "{{ deployment.word }}"
    workshop.template(f"apiVersion: v1\nkind: Odd\nmetadata: {{name: a}}\nword: {tag}\n", name=f"app/app.{engine}")
    workshop.resources(f"app: {{file: ./app/app.{engine}}}")
    workshop.write({"base-var.yaml": f"kind: ResourceConfig\ndeployment: {{word: {value}}}\n"})
    result = workshop.run()
    assert result.code == 0, result.log
    told = f"resources/app/app.{engine}:4: the value of deployment.word is a string, and as it is printed here it is"
    assert (told in result.log) == (read_as is not None)
    assert read_as is None or f"it is read as {read_as}: for resource app. Put quotes" in result.log
    assert "is a string" not in workshop.run(KIT_VALIDATE="off").log


@pytest.mark.parametrize(
    ("line", "warns"),
    [
        ("word: TAG", True),
        ("word: TAG # why", True),
        ("- TAG", True),
        ("words: [TAG]", True),
        ("words: [a, TAG, b]", True),
        ("words: {a: TAG, b: c}", True),
        ("KEY: TAG", True),
        ('word: "TAG"', False),
        ("word: 'TAG'", False),
        ('word: "a: TAG, b"', False),
        ("word: 'a TAG'", False),
        ("word: aTAG", False),
        ("word: TAG-a", False),
        ("word: TAGTAG", False),
        ("# word: TAG", False),
        ("word: a # TAG", False),
        ("word: |\n  deep: TAG\n\n  deep: TAG", False),
        ("- word: >-\n    deep: TAG", False),
        ("word: |\n  deep: a\nnext: TAG", True),
    ],
)
@pytest.mark.parametrize("engine", ["mustache", "j2"])
def test_only_what_stands_alone_and_plain_is_read_as_something_else(
    workshop: Workshop, line: str, warns: bool, engine: str
) -> None:
    tag, key = ("{{{word}}}", "{{{name}}}") if engine == "mustache" else ("{{ word }}", "{{ name }}")
    workshop.template(line.replace("TAG", tag).replace("KEY", key) + "\n", name=f"app/app.{engine}")
    workshop.resources(f"app: {{file: ./app/app.{engine}}}")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nword: yes\n"})
    assert ("the value of word is a string" in workshop.run(KIT_VALIDATE="warn").log) == warns


def test_characters_that_are_written_as_html_warn_with_their_place(workshop: Workshop) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  url: '{{url}}'\n  plain: '{{plain}}'\n"
    workshop.app(text + "  kept: '{{{url}}}'\n")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nurl: https://example.com/?a=1\nplain: text\n"})
    result = workshop.run()
    assert result.code == 0
    lines = [line for line in result.log.splitlines() if "as HTML does" in line]
    assert len(lines) == 1
    assert "warning: [east, west] resources/app/app.mustache:5: {{url}} wrote characters of the value" in lines[0]
    assert lines[0].endswith("for resource app. Write {{{url}}}, which leaves them as they are.")
    assert "https:" not in lines[0]
    assert "as HTML does" not in workshop.run(KIT_VALIDATE="off").log
