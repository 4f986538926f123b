# SPDX-License-Identifier: MIT
"""Whatever stands in a repository: a sentence and the right exit code, in bounded time, and nothing written elsewhere.

Seeds are in the names of the tests; a failing one runs alone by its name.
"""

import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Result, Workshop

LIMIT = 10
"""Seconds of a processor that a run on anything at all may take; other work on the machine does not count."""
HUGE = 50_000_000
MANY = 100_000

DOCUMENTS = {
    "kit.yaml": KIT,
    "base-cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: base, branch: master}\nresources:\n  app:\n"
    "    file: ./app/app.mustache\n    svc: {name: app-svc}\n"
    "    containers: {con: {image_tag: shop, env: [{name: A}]}}\n"
    "  two:\n    file: ./app/two.j2\n  plain:\n    file: ./app/plain.yaml\n",
    "base-var.yaml": "kind: ResourceConfig\nreplicas: 2\ndeep: {er: [1, 2, {x: y}]}\n",
    "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\nreplicas: 3\n",
    "clusters/east/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: east, type: test}\nresources:\n"
    "  app: {containers: {con: {env: [{name: A, value: 1}]}}}\n",
    "clusters/east/configuration-var.yaml": "kind: ResourceConfig\ndeep: {er: [2]}\n",
    "images/shop/master.yaml": "image: registry.example.com/shop:1\n",
}
TEXTS = {
    "resources/app/app.mustache": CONFIG_MAP + "data:\n{{#deep.er}}\n  a: '{{{x}}}'\n{{/deep.er}}\n  b: {{replicas}}\n",
    "resources/app/two.j2": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\n{% for one in deep.er %}\n"
    "# {{ one }} {{ deep | to_json }}\n{% endfor %}\n",
    "resources/app/plain.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {a: b}\n",
    "env/con.env": "A=1\nB='two'\n",
    "env/con.json": '{"env": [{"name": "B", "value": "2"}]}\n',
    "env/con.yaml": "A: 1\nB: two\n",
}
ALL = {**DOCUMENTS, **TEXTS}


@pytest.fixture
def whole(workshop: Workshop) -> Workshop:
    """A repository with every kind of file. What is beside it must stay as it is."""
    workshop.write({**ALL, "../beside/secret.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\n"})
    (workshop.folder / "clusters/west/cluster.yaml").unlink()
    return workshop


@contextmanager
def within_the_limit() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"not done within {LIMIT} s")

    assert threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def snapshot(folder: Path) -> dict[str, bytes | str]:
    """Everything below the folder but the output's own."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if "/generated" in name:
            continue
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file() and path.stat().st_size < HUGE:
            found[name] = path.read_bytes()
        else:
            found[name] = ""
    return found


def survives(workshop: Workshop, *codes: int, **env: str) -> Result:
    """Run it: no traceback, no wait, one of these exit codes, nothing written but the output."""
    around = workshop.folder.parent
    before = snapshot(around)
    with within_the_limit():
        result = workshop.run(**env)
    assert "Traceback" not in result.log
    assert "Error:" not in result.log, "a sentence, not the name of a class"
    assert result.code in codes, result.log[-2000:]
    assert result.code == 0 or "error: " in result.log
    assert snapshot(around) == before
    return result


def source_of(name: str) -> str:
    return f"sources: [{{kind: files, path: ./{name}}}]\n" if name.startswith("env/") else ""


def codes_for(name: str) -> tuple[int, ...]:
    """What a repository says is input; what a template makes of it is work."""
    return (0, 1, 2) if name.startswith("resources/") else (0, 2)


def put(workshop: Workshop, name: str, content: bytes) -> None:
    workshop.write({"kit.yaml": KIT + source_of(name)})
    (workshop.folder / name).write_bytes(content)


TOKENS = [
    *(
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "\n",
        "  ",
        "&a",
        "*a",
        "!!int ",
        "!x ",
        "|",
        ">",
        "'",
        '"',
        "#",
        "%",
        "@",
        "`",
        "? ",
    ),
    *(
        "<<: ",
        "---",
        "...",
        "\t",
        "{{",
        "}}",
        "{{{",
        "}}}",
        "{{#a}}",
        "{{/a}}",
        "{{^a}}",
        "{{=<% %>=}}",
        "{{!",
        "{%",
        "%}",
    ),
    *(
        "{% for a in ",
        " %}",
        "{{ deep.er ",
        "to_yaml",
        "a",
        "kind",
        "metadata",
        "resources",
        "app",
        "null",
        "0x",
        "1e999",
    ),
    *(
        "~",
        "=",
        "kit:v1:",
        "\\",
        "\u2028",
        "\ufeff",
        "\x00",
        "\u00e9",
        "..",
        "/",
        "env",
        "name",
        "A=",
        "$",
        "1_0",
        "0o8",
    ),
]


def noise(seed: int, original: bytes) -> bytes:
    """Random bytes, random tokens, or the original with random changes."""
    chance = random.Random(seed)
    match seed % 3:
        case 0:
            return chance.randbytes(chance.randrange(1, 2000))
        case 1:
            return "".join(chance.choice(TOKENS) for _ in range(chance.randrange(1, 200))).encode()
    content = bytearray(original)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(content) + 1)
        if chance.random() < 0.5:
            content[at:at] = chance.choice(TOKENS).encode()
        else:
            del content[at : at + chance.randrange(1, 8)]
    return bytes(content)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", sorted(ALL))
def test_anything_in_any_file(whole: Workshop, name: str, seed: int) -> None:
    base = ALL[name] + (source_of(name) if name == "kit.yaml" else "")
    put(whole, name, noise(seed * 1000 + len(name), base.encode()))
    survives(whole, *codes_for(name))


DEEP = {
    "lists": "[" * 100_000 + "]" * 100_000,
    "open lists": "[" * 1_000_000,
    "maps": "{a: " * 100_000 + "}" * 100_000,
    "dashes": "- " * 100_000 + "a",
    "indented": "\n".join(" " * depth + "a:" for depth in range(1500)),
    "questions": "? " * 50_000,
    "sections": "{{#a}}" * 100_000 + "{{/a}}" * 100_000,
    "open tags": "{{" * 500_000,
    "parentheses": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "blocks": "{% if true %}" * 2_000 + "{% endif %}" * 2_000,
    "json": '{"env":' * 100_000,
    "aliases": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 60)),
    "merges": "a0: &a0 {x: y}\n"
    + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 60)),
    "itself": "a: &a [*a]\nb: &b {<<: *b}\n",
    "spaces": "{{" + " " * 2_000_000,
    "lines": "\n" * 3_000_000,
    "hashes": "#" * 3_000_000,
    "quotes": "'" * 3_000_001,
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "include itself": "{% include 'app/two.j2' %}",
}  # fmt: skip


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


@pytest.mark.parametrize("where", ["outside", "itself", "loop", "folder above", "device", "missing"])
@pytest.mark.parametrize(
    "name",
    [*sorted(ALL), "clusters/east", "clusters/north", "resources/app", "resources", "type", "images", "clusters"],
)
def test_links_that_lead_anywhere(whole: Workshop, name: str, where: str) -> None:
    put(whole, name, b"") if name in ALL else None
    path = whole.folder / name
    if path.is_dir():
        path.rename(whole.folder.parent / "moved")
    else:
        path.unlink(missing_ok=True)
    other = whole.folder / "other-link"
    around = whole.folder.parent
    target = {"outside": around / "beside/secret.yaml", "itself": path, "loop": other,
              "folder above": around, "device": Path("/dev/null"), "missing": Path("nowhere")}[where]  # fmt: skip
    path.symlink_to(target)
    if where == "loop":
        other.symlink_to(path)
    survives(whole, 0, 1, 2)


@pytest.mark.parametrize(
    "name", ["..", "../beside", "../../beside/x", "a/../../b", "/tmp/x", ".kit", ".", "a\\..\\b", "..\\x"]
)
@pytest.mark.parametrize(
    "what", ["cluster", "service", "file", "copied", "image_tag", "branch", "container", "resource"]
)
def test_names_that_lead_elsewhere(whole: Workshop, name: str, what: str) -> None:
    quoted = "'" + name + "'"
    resource = {
        "service": f"app: {{svc: {{name: {quoted}}}}}",
        "file": f"app: {{file: '{name}/app.mustache'}}",
        "copied": f"app: {{file: '{name}/secret.yaml'}}",
        "image_tag": f"app: {{file: app/app.mustache, image_tag: {quoted}}}",
        "branch": f"app: {{file: app/app.mustache, image_tag: shop, branch: {quoted}}}",
        "container": f"app: {{file: app/app.mustache, containers: {{{quoted}: {{image_tag: shop}}}}}}",
        "resource": f"{quoted}: {{file: app/app.mustache, svc: {{name: a}}}}",
    }.get(what, "app: {file: app/app.mustache}")
    whole.resources(resource)
    whole.cluster("east", metadata="type: test" + (f", name: {quoted}" if what == "cluster" else ""))
    survives(whole, *((2,) if what in {"service", "image_tag", "branch"} else (0, 1, 2)))


@pytest.mark.parametrize("part", ["output", "clusters", "resources", "images", "type"])
@pytest.mark.parametrize("link", ["generated", "generated/east", "generated/.kit", "generated/east/app.yaml"])
def test_an_output_that_leads_elsewhere_is_written_to_no_source(whole: Workshop, part: str, link: str) -> None:
    target = whole.folder / part if part != "output" else whole.folder.parent / "beside"
    path = whole.folder / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    if part == "output" and link == "generated":
        return  # the output as a whole may be a link to anywhere
    survives(whole, 0, 1, 2)
