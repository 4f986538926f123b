# SPDX-License-Identifier: MIT
"""Both files: where they lie, what parses, and what only the two together tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit_core.errors import InputError
from kit_pipeline.files.checking import check
from kit_pipeline.files.find import services_file, steps_file
from kit_pipeline.files.finding import Finding, WrongFiles, refuse
from kit_pipeline.files.reading import parse_text
from kit_pipeline.files.steps import read_steps
from tests.unit.pipeline.reading import both, services, steps

ROOT = Path(__file__).parents[3]


def test_every_scalar_is_text_as_it_was_written() -> None:
    read, said = services(
        """
        version: "2"
        app:
          image: php:7.10
          environment: {DB_PORT: 03306, DEBUG: true, EMPTY: , RATIO: 1.10, WHEN: 2020-01-01, NO: no}
          command: [echo, 01, true, ~]
        """
    )
    assert said == []
    assert dict(read["app"].environment) == {
        "DB_PORT": "03306", "DEBUG": "true", "EMPTY": "", "RATIO": "1.10", "WHEN": "2020-01-01", "NO": "no",
    }  # fmt: skip
    assert read["app"].command == ("echo", "01", "true", "~")
    (step,), _ = steps("- {service: app, name: 01, command: true, tag: 1.10}")
    assert (step.name, step.command, step.tag) == ("01", ("true",), "1.10")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("name: a\n  service: b\n- name: c\n", "put `- ` before the first step too"),
        ("- name: a\n-type: push\n  service: b\n", "Line 2: a `-` that begins an item needs a space behind it."),
        ("- name: a\n  image_tag: {{.Branch}}\n", 'quote a value that begins with a template: "{{.Branch}}".'),
        ('- command: [ "a" ] || exit 1\n', "nothing may follow a list in brackets"),
        ("FROM debian:trixie\nRUN echo: x: y\n", "This is a Dockerfile: is it saved under the wrong name?"),
        ("- type: serial\nsteps:\n- name: x\n", "here a key stands at the margin"),
        ("- a:\n\tb: c\n", "indent with spaces, not tabs"),
        ("- a: b\n  c: 'd\n- e: f\n", "t.yml:2:6: malformed YAML: found unexpected end of stream"),
        ("- a: b\n  c: 'd\n- e: f\n", "A quote that begins here is not closed."),
    ],
)
def test_a_file_that_does_not_parse_is_told_with_what_is_probably_meant(text: str, hint: str) -> None:
    with pytest.raises(InputError) as error:
        steps(text)
    assert hint in str(error.value)
    assert str(error.value).startswith("t.yml:")


ONE_STEP = "- {service: app, command: x}"


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            "app: {image: a}",
            "- {service: ap, command: x}",
            "error: step ap names the service ap, which there is not. Did you mean",
        ),
        ("app: {image: a, links: [db]}", ONE_STEP, "error: `links` of app names the service db, which there is not"),
        ("app: {working_dir: /x}", ONE_STEP, "error: service app has neither `build` nor `image`. Add one of them."),
        ("app: {image: a}\nbase: {working_dir: /x}", ONE_STEP, "s.yml:2:1: note: service base has neither"),
        (
            "app: {image: a, links: [b]}\nb: {image: b, depends_on: [app]}",
            ONE_STEP,
            "error: services need each other in a circle: app → b → app",
        ),
        (
            "app: {image: a, dockercfg_service: b}\nb: {image: b, dockercfg_service: app}",
            ONE_STEP,
            "error: services make each other's registry logins in a circle: app → b → app",
        ),
        (
            "app: {image: a}",
            "- {type: push, service: app, image_name: x}",
            "error: step x pushes app, which is not built here",
        ),
        (
            "app: {image: a}",
            "- {service: app, command: x, on_fail: [{service: tell, command: y}]}",
            "names the service tell",
        ),
    ],
)
def test_what_the_two_files_together_tell(first: str, second: str, said: str) -> None:
    assert any(said in line for line in both(first, second)), both(first, second)


def test_what_a_tag_leaves_out_of_this_run_is_a_warning() -> None:
    found: list[Finding] = []
    group, _ = steps("- {type: serial, tag: release, steps: [{service: gone, command: x}]}")
    check({}, group, found.append, chosen=lambda step: step.tag is None)
    assert [(finding.level, finding.what) for finding in found] == [
        ("warning", "step gone names the service gone, which there is not")
    ]
    refuse(found)  # no error among them


def test_all_errors_are_counted_and_the_first_is_told() -> None:
    found: list[Finding] = []
    read_steps(parse_text("- {command: x}\n- {command: y}\n", shown="t.yml"), found.append)
    with pytest.raises(WrongFiles, match=r"t.yml:1:3: step 1 names no service: and 1 more error. Add"):
        refuse(found)


def test_where_the_files_are_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"codeship-services\.yml, codeship-services\.json"):
        services_file(tmp_path)
    for name in ("docker-compose.yml", "jet-steps.json", "codeship-services.json"):
        (tmp_path / name).write_text("{}")
    assert services_file(tmp_path).path.name == "codeship-services.json"
    assert steps_file(tmp_path).path.name == "jet-steps.json"
    assert services_file(tmp_path, Path("docker-compose.yml")).is_compose
    with pytest.raises(InputError, match="--steps-path names it"):
        steps_file(tmp_path, Path("other.yml"))


@pytest.mark.parametrize("folder", [".", "examples/service-repo", "examples/deployments-repo"])
def test_our_own_files_have_nothing_wrong(folder: str) -> None:
    texts = [(ROOT / folder / f"codeship-{what}.yml").read_text("utf-8") for what in ("services", "steps")]
    assert services(texts[0])[1] + steps(texts[1])[1] + both(*texts) == []
