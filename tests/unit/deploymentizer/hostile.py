# SPDX-License-Identifier: MIT
"""A whole repository to be damaged, and what every run on it must keep to: time, exit codes, nobody else's files."""

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

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
