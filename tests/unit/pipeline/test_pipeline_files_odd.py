# SPDX-License-Identifier: MIT
"""Files that nobody meant to write: whatever stands in them, there are findings or one clear error, never a crash."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_pipeline.files import keys
from kit_pipeline.files.checking import check
from kit_pipeline.files.finding import Finding
from kit_pipeline.files.interpolation import env_values, fill_in
from kit_pipeline.files.reading import parse, parse_text
from kit_pipeline.files.services import read_services
from kit_pipeline.files.steps import read_steps
from kit_pipeline.validation import validate
from tests.unit.pipeline.reading import services, steps

TEXTS = ["a", "b", "./x:/y", "a:b", "A=b", "{{.Branch}}", "{{", "^a$", "$A", "${A:-b}", "sh -c 'a", "push", "serial",
         "matrix", "true", "a && b", "=", ":", "~", "1.10"]  # fmt: skip
SCALARS: st.SearchStrategy[Any] = (
    st.sampled_from(TEXTS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
)
WORDS = st.sampled_from(
    [*keys.SERVICE, *keys.BUILD, *keys.STEP, "services", "version", "ports", "volumes", "a", "b", "x-a", "<<"]
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=6)
)
SERVICE = st.dictionaries(st.sampled_from([*keys.SERVICE, "ports"]), TREES, max_size=6)
STEP: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(st.sampled_from([*keys.STEP]), TREES, max_size=6),
    lambda inner: st.fixed_dictionaries(
        {"steps": st.lists(inner, max_size=3)}, optional={"type": SCALARS, "service": SCALARS, "on_fail": TREES}
    ),
    max_leaves=6,
)


def read(first: str, second: str) -> None:
    """Everything that a run reads of both, before it does anything."""
    found: list[Finding] = []
    with contextlib.suppress(InputError):
        services_document = fill_in(parse_text(first, shown="s.yml"), {"A": "b"}, found.append)
        steps_document = parse_text(second, shown="t.yml")
        by_name = read_services(services_document, found.append, compose=True)
        read_services(services_document, found.append)
        check(by_name, read_steps(steps_document, found.append), found.append)
    for finding in found:
        assert finding.place.line >= 1
        assert "\n" not in str(finding.place)


NAMES = st.sampled_from(["a", "b", "services", "volumes"]) | st.text(max_size=4)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, SERVICE | TREES, max_size=4), st.lists(STEP | TREES, max_size=4) | TREES)
def test_whatever_the_values_are_there_are_findings_or_values(first: Any, second: Any) -> None:
    read(yaml.safe_dump(first, allow_unicode=True), yaml.safe_dump(second, allow_unicode=True))
    with contextlib.suppress(ValueError):
        read(json.dumps(first), json.dumps(second))


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("abA:-[]{}&*!|>'\"#%@`,?<~ \n\t\r$.=\0\ufeff\u2028é")), max_size=60))
def test_whatever_the_text_is_it_is_read_or_refused(text: str) -> None:
    read(text, text)
    env_values(text)


SAMPLE = """\
# services
base: &base
  environment: [A=b]   # a comment
app:
  <<: *base
  build: {context: ., args: {V: "{{.CommitID}}"}}
  volumes: ["./x:/y"]
  links: [db:data]
db: {image: postgres}
"""


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(SAMPLE)), st.integers(0, 12), st.text(max_size=3))
def test_a_good_file_that_is_damaged_is_read_or_refused(at: int, length: int, other: str) -> None:
    read(SAMPLE[:at] + other + SAMPLE[at + length :], SAMPLE[:at] + other + SAMPLE[at + length :])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"\n \n# only a comment\n", "the file is empty"),
        (b"---\n", "the file is empty"),
        (b"---\n---\na: b\n---\nc: d\n", "a second document begins here"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a: \x00", "the character 0x0 is not allowed in YAML"),
        (b"a: *b", "undefined alias"),
        (b"a: &a [*a]", "an alias refers to what holds it"),
        (b"[" * 1000, "nested too deeply"),
        (b"? {a: b}\n: c", "a key must be a plain word"),
        (b"a: !!python/object:os.system x", "unknown tag"),
        (b'a: "\\ud800"', "YAML"),
    ],
)
def test_what_is_no_file_of_ours_is_refused_or_told(tmp_path: Path, data: bytes, said: str) -> None:
    for name in ("codeship-services.yml", "codeship-steps.yml"):
        (tmp_path / name).write_bytes(data)
    found = [str(finding) for finding in validate(tmp_path, shown=lambda path: path.name)]
    assert any(said in line for line in found), found
    assert all(line.startswith("codeship-s") for line in found)


def test_a_byte_order_mark_line_ends_of_windows_and_no_last_line_end() -> None:
    read_services, said = services("\ufeff---\r\napp:\r\n  image: a\r\n  command: |\r\n    x\r\n    y")
    assert said == []
    assert (read_services["app"].image, read_services["app"].command) == ("a", ("x", "y"))


def test_folders_in_the_place_of_files(tmp_path: Path) -> None:
    (tmp_path / "codeship-services.yml").mkdir()
    (tmp_path / "codeship-steps.yml").write_text("- {service: a, command: x}")
    with pytest.raises(InputError, match="There is no services file"):
        validate(tmp_path)
    with pytest.raises(InputError, match="There is no services file"):
        validate(tmp_path, services_path=Path("codeship-services.yml"))
    with pytest.raises(InputError, match="cannot be read"):
        parse(tmp_path, shown="x")


def test_a_chain_of_thousands_of_services_and_a_step_of_megabytes() -> None:
    text = "".join(f"s{n}: {{image: a, links: [s{n + 1}]}}\n" for n in range(3000)) + "s3000: {image: a}\n"
    read, said = services(text)
    found: list[Finding] = []
    check(read, steps("- {service: s0, command: x}")[0], found.append)
    assert (len(read), said, found) == (3001, [], [])
    (step,), said = steps("- {service: a, command: " + "x" * 3_000_000 + "}")
    assert step.command is not None
    assert (len(step.command[0]), said) == (3_000_000, [])


def test_what_a_finding_quotes_is_short() -> None:
    said = services("app: {image: a, command: \"'" + "x" * 100_000 + '"}')[1]
    said += steps("- {type: push, service: a, image_name: x, image_tag: '{{" + "x " * 50_000 + "'}")[1]
    said += steps("- {service: a, command: 'echo $" + "x" * 50_000 + "'}")[1]
    assert len(said) == 3
    assert all(len(line) < 400 for line in said)
