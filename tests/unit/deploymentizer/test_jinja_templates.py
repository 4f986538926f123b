# SPDX-License-Identifier: MIT
"""Jinja2 templates: strict, sandboxed, with the filters that manifests need."""

import pytest

from tests.unit.deploymentizer.workshop import Workshop

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\n"


def rendered(workshop: Workshop, body: str, settings: str = "", resource: str = "") -> str:
    """What `body` becomes in cluster east."""
    workshop.write({
        "resources/app/app.yaml.j2": HEAD + body,
        "base-var.yaml": f"kind: ResourceConfig\n{settings}",
    })  # fmt: skip
    workshop.resources(f"app:\n  file: ./app/app.yaml.j2\n{resource}")
    result = workshop.run()
    assert result.code == 0, result.log
    return result.files["east/app.yaml"].removeprefix(HEAD)


@pytest.mark.parametrize(
    ("body", "settings", "text"),
    [
        ("a: {{ a }}\n", "a: 1\n", "a: 1\n"),
        ("a: {{ a.b.items }}\n", "a: {b: {items: 3}}\n", "a: 3\n"),
        ("a: {{ a }}, {{ b }}, {{ c }}, {{ d }}\n", "a: true\nb:\nc: 1.0\nd: [1, x]\n", 'a: true, null, 1, [1, "x"]\n'),
        ("data:\n  {% if on %}\n  a: b\n  {% endif %}\n", "on: true\n", "data:\n  a: b\n"),
        ("a:\n  {% for one in many %}\n  {{ one }}: x\n  {% endfor %}\n", "many: [p, q]\n", "a:\n  p: x\n  q: x\n"),
        ("a: {{ a | quote }}\n", "a: 'say \"hi\"'\n", 'a: "say \\"hi\\""\n'),
        ("a: {{ a | b64encode }}\n", "a: ünï\n", "a: w7xuw68=\n"),
        ("a: {{ a | sha256 }}\n", "a: x\n",
         "a: 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\n"),
        ("a: {{ a | to_json }}\n", "a: {b: [1, true, ü]}\n", 'a: {"b": [1, true, "ü"]}\n'),
        ("a:\n  {{ a | to_yaml | indent(2) }}\n", "a: {b: [1, 'yes'], c: d}\n", "a:\n  b:\n  - 1\n  - 'yes'\n  c: d\n"),
        ("a:\n{{ a | to_yaml | indent(2, true) }}\n", "a: {b: 1}\n", "a:\n  b: 1\n"),
        ("a: {{ missing | default('x') }}\n", "", "a: x\n"),
        ("a: {{ name }} {{ branch }}\n", "", "a: app master\n"),
    ],
)  # fmt: skip
def test_what_a_template_makes(workshop: Workshop, body: str, settings: str, text: str) -> None:
    assert rendered(workshop, body, settings) == text


def test_a_container_whose_name_is_no_identifier_is_in_the_whole_view(workshop: Workshop) -> None:
    text = rendered(workshop, 'a: {{ view["my-con"].size }}\n', resource="  containers: {my-con: {size: 7}}\n")
    assert text == "a: 7\n"


def test_macros_and_includes_come_from_the_resources_folder(workshop: Workshop) -> None:
    workshop.write({
        "resources/lib/macros.j2": "{% macro pair(k) %}{{ k }}: 1{% endmacro %}\n",
        "resources/lib/part.j2": "c: {{ name }}\n",
    })  # fmt: skip
    body = "{% from 'lib/macros.j2' import pair %}\n{{ pair('b') }}\n{% include 'lib/part.j2' %}\n"
    assert rendered(workshop, body) == "b: 1\nc: app\n"


def test_the_service_template_may_be_jinja(workshop: Workshop) -> None:
    (workshop.folder / "resources/base-svc.mustache").unlink()
    workshop.write({
        "resources/base-svc.yaml.j2": "apiVersion: v1\nkind: Service\nmetadata: {name: {{ svc.name }}}\n",
    })  # fmt: skip
    workshop.resources("app: {svc: {name: web}}")
    assert workshop.run().files["east/web.yaml"] == "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"


@pytest.mark.parametrize(
    ("body", "line", "sentences"),
    [
        (
            "a: {{ replicas.cont }}\n",
            4,
            ("'dict object' has no attribute 'cont'", "`a: {{ replicas.cont }}`", "count is"),
        ),
        ("\na: {{ replica }}\n", 5, ("'replica' is undefined", "replicas is defined: is it meant?")),
        ("a: {{ nothing_like_it }}\n", 4, ("'nothing_like_it' is undefined", "| default(")),
        ("a: {{ nothing | quote }}\n", 4, ("'nothing' is undefined",)),
        ("a: {{ nothing | to_yaml }}\n", 4, ("'nothing' is undefined",)),
        ("a: {{ nothing | b64encode }}\n", 4, ("'nothing' is undefined",)),
        ("a: {{ 1 / 0 }}\n", 4, ("ZeroDivisionError",)),
        ("a: {{ name.__class__.__mro__ }}\n", 4, ("unsafe",)),
    ],
)
def test_a_template_that_does_not_render_says_where_and_what_is_meant(
    workshop: Workshop, body: str, line: int, sentences: tuple[str, ...]
) -> None:
    workshop.write({
        "resources/app/app.j2": HEAD + body,
        "base-var.yaml": "kind: ResourceConfig\nreplicas: {count: 2}\n",
    })  # fmt: skip
    workshop.resources("app: {file: ./app/app.j2}")
    result = workshop.run()
    assert result.code == 1
    assert f"error: [east, west] resources/app/app.j2:{line}: The template did not render" in result.log
    for sentence in sentences:
        assert sentence in result.log
    assert result.files == {}
    assert "Traceback" not in result.log


def test_an_error_in_an_included_file_names_that_file(workshop: Workshop) -> None:
    workshop.write({
        "resources/lib/part.j2": "# fine\nc: {{ wrong }}\n",
        "resources/app/app.j2": HEAD + "{% include 'lib/part.j2' %}\n",
    })  # fmt: skip
    workshop.resources("app: {file: ./app/app.j2}")
    assert "resources/lib/part.j2:2: The template did not render" in workshop.run().log


def test_a_template_outside_of_the_resources_folder_is_refused(workshop: Workshop) -> None:
    workshop.write({"outside.j2": HEAD})
    workshop.resources("app: {file: ../outside.j2}")
    result = workshop.run()
    assert result.code == 2
    assert "../outside.j2 is not below the resources folder" in result.log


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\n{% if x %}\n", "resources/app/app.j2:2: The template cannot be parsed"),
        ("a: {{ x | no_such_filter }}\n", "resources/app/app.j2:1: The template cannot be parsed"),
        ("{% include 'lib/none.j2' %}\n", "none.j2"),
        ("{% include '../secret.j2' %}\n", "../secret.j2"),
    ],
)
def test_a_template_that_cannot_be_parsed_says_where(workshop: Workshop, text: str, sentence: str) -> None:
    workshop.write({"resources/app/app.j2": text, "secret.j2": "outside"})
    workshop.resources("app: {file: ./app/app.j2}")
    result = workshop.run()
    assert result.code in {1, 2}
    assert sentence in result.log
    assert "Traceback" not in result.log


def test_jinja_reaches_nothing_but_its_values(workshop: Workshop) -> None:
    """Ways out of the sandbox that are known, and what Python's own objects would tell."""
    for expression in (
        "self.__init__.__globals__", "cycler.__init__.__globals__.os.environ", "''.__class__.__mro__",
        "'{0.__class__}'.format(view)", "lipsum.__globals__", "(view|attr('__class__'))", "self | to_yaml",
        "joiner | to_json", "namespace.__init__", "[].append.__self__.__class__",
    ):  # fmt: skip
        workshop.template("a: {{ " + expression + " }}\n", name="a.j2")
        workshop.resources("app: {file: a.j2}")
        result = workshop.run(KIT_PLACEHOLDERS="true", CANARY="canary-3141")
        shown = result.log + "".join(result.files.values())
        assert result.code == 1, (expression, shown)
        assert not any(word in shown for word in ("canary-3141", "<class", "<module", "environ({")), (expression, shown)
