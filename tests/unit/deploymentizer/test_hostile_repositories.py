# SPDX-License-Identifier: MIT
"""Whatever stands in a repository: a sentence, the right exit code, in bounded time, and nothing written elsewhere."""

from collections.abc import Callable

import pytest

from tests.unit.deploymentizer.hostile import (
    ALL,
    DEEP,
    DOCUMENTS,
    HUGE,
    MANY,
    codes_for,
    noise,
    put,
    source_of,
    survives,
)
from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Workshop


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", sorted(ALL))
def test_anything_in_any_file(whole: Workshop, name: str, seed: int) -> None:
    base = ALL[name] + (source_of(name) if name == "kit.yaml" else "")
    put(whole, name, noise(seed * 1000 + len(name), base.encode()))
    survives(whole, *codes_for(name))


@pytest.mark.parametrize("what", sorted(DEEP))
@pytest.mark.parametrize("name", sorted(ALL))
def test_deep_and_growing_things(whole: Workshop, name: str, what: str) -> None:
    text = DEEP[what]
    if name in DOCUMENTS and what in {"aliases", "merges", "itself"}:
        text = DOCUMENTS[name] + text
    put(whole, name, text.encode())
    survives(whole, *codes_for(name))


NUMEROUS: dict[str, tuple[str, int, Callable[[], str]]] = {
    "names on one line": ("resources/app/app.mustache", 0, lambda: "x: " + "{{a}} " * MANY),
    "names": ("resources/app/app.mustache", 0, lambda: "".join(f"# {{{{a{n}}}}}\n" for n in range(MANY))),
    "delimiters": ("resources/app/app.mustache", 0,
                   lambda: CONFIG_MAP + "".join(f"{{{{=a{n} b{n}=}}}}a{n}={{{{ }}}}=b{n}" for n in range(MANY))),
    "keys of kit.yaml": ("kit.yaml", 2, lambda: KIT + "".join(f"k{n}: 1\n" for n in range(MANY))),
    "keys of a cluster": ("clusters/east/cluster.yaml", 2,
                          lambda: ALL["clusters/east/cluster.yaml"] + "".join(f"k{n}: 1\n" for n in range(MANY))),
    "resources": ("clusters/east/cluster.yaml", 2,
                  lambda: ALL["clusters/east/cluster.yaml"] + "".join(f"  k{n}:\n" for n in range(MANY // 5))),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(NUMEROUS))
def test_a_hundred_thousand_things(whole: Workshop, what: str) -> None:
    name, code, text = NUMEROUS[what]
    put(whole, name, text().encode())
    result = survives(whole, code)
    if what.startswith("keys of "):
        assert f"error: {name}: it has more unknown keys: the first 100 are told above." in result.log


_TWICE = "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}"


@pytest.mark.parametrize(
    ("template", "line", "why"),
    [
        ("a: 1\n{{ 9**(9**9) }}", 2, "more than 10000 bits"),
        ("\n\n{{ 'x' * 99999999999 }}", 3, "more than 10000000 characters"),
        ("{{ [1, 2] * 99999999999 }}", 1, "more than 10000000 characters or items"),
        ("{% for a in range(10**12) %}{% endfor %}", 1, "Range too big"),
        ("{% set r = range(99999) %}\n{% for a in r %}\n{% for b in r %}{% endfor %}{% endfor %}", 3, "300000 steps"),
        ("{% for a in range(90000) %}{{ range(90000)|map('string')|list|length }}{% endfor %}", 1, "300000 steps"),
        (_TWICE + "\n{{ m(60) }}", 1, "it takes more than"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", 1, "calls itself without an end"),
        ("{% set n = namespace(a='x') %}{% for a in range(60) %}\n{% set n.a = n.a ~ n.a %}{% endfor %}", 2,
         "10000000 characters"),
        ("{% set n = namespace(a='x') %}{% for a in range(60) %}\n{% set n.a = n.a + n.a %}{% endfor %}", 2,
         "10000000 characters"),
        ("{% for a in range(90000) %}{{ 'x' * 1000 }}{% endfor %}", 1, "prints more than 10000000 characters"),
        ("{{ 'x' | center(9999999999) }}", 1, "10000000 characters"),
        ("{{ 'x'.ljust(9999999999) }}", 1, "10000000 characters"),
        ("{{ '%09999999999d' % 1 }}", 1, "too wide"),
        ("{{ '%09999999999d' | format(1) }}", 1, "too wide"),
        ("{{ '{:99999999999}'.format(1) }}", 1, "too wide"),
        ("{% set x = 'x' * 100000 %}{{ x | replace('x', x) | length }}", 1, "10000000 characters"),
        ("{{ [1] | batch(99999999999, 'x') | list }}", 1, "10000000 characters or items"),
    ],
)  # fmt: skip
def test_a_jinja_template_that_would_not_end(whole: Workshop, template: str, line: int, why: str) -> None:
    put(whole, "resources/app/two.j2", template.encode())
    log = survives(whole, 1).log
    said = next(text for text in log.splitlines() if "error: " in text)
    assert f"[east] error: resources/app/two.j2:{line}: The template did not render for resource two: " in said
    assert why in said


def test_what_would_not_end_is_tried_for_one_cluster_only(whole: Workshop) -> None:
    for name in ("north", "south", "west"):
        whole.cluster(name)
    put(whole, "resources/app/two.j2", (_TWICE + "{{ m(60) }}").encode())
    assert "error: [east, north, south and 1 more] resources/app/two.j2:1: " in survives(whole, 1).log


@pytest.mark.parametrize("value", ["[2]", "[1, 2, 3]"])
def test_mustache_sections_that_would_not_end(whole: Workshop, value: str) -> None:
    whole.write({"clusters/east/configuration-var.yaml": f"kind: ResourceConfig\ndeep: {{er: {value}}}\n"})
    put(whole, "resources/app/app.mustache", b"\n" + b"{{#deep.er}}" * 40 + b"{{/deep.er}}" * 40)
    said = "resources/app/app.mustache:2: The template did not render for resource app: it takes more than 300000 steps"
    assert f"[east] error: {said}" in survives(whole, 1).log


@pytest.mark.parametrize("what", ["one line", "many lines", "one key"])
@pytest.mark.parametrize("name", ["kit.yaml", "clusters/east/cluster.yaml", "base-var.yaml", "images/shop/master.yaml",
                                  "resources/app/app.mustache", "resources/app/two.j2", "env/con.env"])  # fmt: skip
def test_a_value_of_fifty_megabytes(whole: Workshop, name: str, what: str) -> None:
    unit = {"one line": "x", "many lines": "x" * 999 + "\n", "one key": "k" * 100}[what]
    size = HUGE if what == "one line" else HUGE // 10  # the others differ in what reads them, not in how long
    value = unit * (size // len(unit))
    head = ALL[name] + ("" if name.endswith(("mustache", "j2", "env")) else "more: ")
    tail = '"' + value.replace("\n", " ") + '"\n' if what != "one key" else f"{{{value}: 1}}\n"
    put(whole, name, (head + (tail if name.endswith(".yaml") else value)).encode())
    survives(whole, *codes_for(name), SAVE="false")
