# SPDX-License-Identifier: MIT
"""The plan of a run: which steps, for which service, and why the others are left out."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent

import pytest

from kit_core.errors import InputError
from kit_pipeline.files.finding import Finding
from kit_pipeline.files.reading import parse_text
from kit_pipeline.files.step import Step
from kit_pipeline.files.steps import read_steps
from kit_pipeline.planning.choosing import wanted
from kit_pipeline.planning.expand import Wishes, choose, expand
from kit_pipeline.planning.plan import Group
from kit_pipeline.planning.tags import check_patterns, fits
from kit_pipeline.planning.values import RunValues


def read(text: str) -> tuple[Step, ...]:
    found: list[Finding] = []
    steps = read_steps(parse_text(dedent(text), shown="t.yml"), found.append)
    assert [finding for finding in found if finding.level == "error"] == []
    return steps


def done(plan: Group) -> list[str]:
    """What runs: number, service and command of each task."""
    return [f"{task.number} {task.service}" for task in plan.tasks() if not task.skipped]


@pytest.mark.parametrize(
    ("pattern", "ref", "expected"),
    [
        ("master", "master", True),
        ("master", "master2", False),
        ("mast.r", "master", False),
        ("^mast", "master", True),
        ("er$", "master", True),
        (r"^v\d+\.\d+$", "v1.2", True),
        (r"^v\d+$", "v\u0661", False),  # RE2's \d is ASCII
        ("^v1$", "v1\n", False),  # its $ is the very end
        ("^(?i)MASTER$", "master", True),
        ("^(?!master)", "develop", False),  # no RE2: matches nothing
        ("^(?!master)", "^(?!master)", True),  # equality first
        ("(master|main)", "main", False),
        ("(master|main)", "(master|main)", True),
        ("^release/", "release/1.2", True),
        (r"\Amaster\z$", "master", True),
    ],
)
def test_what_a_tag_means(pattern: str, ref: str, expected: bool) -> None:
    assert fits(pattern, ref) is expected


def test_expressions_that_mean_nothing_are_told() -> None:
    found: list[Finding] = []
    check_patterns(
        read(
            """
            - {service: a, command: x, tag: (master|main)}
            - {type: serial, service: a, exclude: "^(?=x)", steps: [{command: y, tag: "^ok$"}]}
            """
        ),
        found.append,
    )
    assert [(finding.place.line, finding.what) for finding in found] == [
        (2, "`tag` of step a looks like an expression and matches only itself: (master|main)"),
        (3, "`exclude` of step a is no RE2 expression and matches nothing: ^(?=x)"),
    ]


STEPS = """
- {name: test, service: app, command: test}
- name: group
  type: parallel
  services: [a, b]
  tag: ^ma
  dockercfg_service: login
  steps:
    - {name: one, command: one}
    - {name: two, command: two, exclude: main, on_fail: [{service: tell, command: oh}]}
    - {name: out, type: push, image_name: x, encrypted_dockercfg_path: own.enc}
- name: go
  type: manual
  service: app
  encrypted_dockercfg_path: d.enc
  steps: [{type: serial, steps: [{name: push, type: push, image_name: org/app}]}]
"""


def test_a_parallel_group_with_services_is_a_chain_for_each() -> None:
    plan = expand(read(STEPS), Wishes(ref="master", push=True, approve=True))
    assert done(plan) == ["1 app", "2.1@a a", "2.2@a a", "2.3@a a", "2.1@b b", "2.2@b b", "2.3@b b", "3.1.1 app"]
    group = plan.members[1]
    assert isinstance(group, Group)
    assert group.order == "parallel"
    assert [(chain.name, chain.order) for chain in group.members if isinstance(chain, Group)] == [
        ("a", "serial"),
        ("b", "serial"),
    ]
    tasks = {task.number: task for task in plan.tasks()}
    assert (tasks["2.1@a"].dockercfg_service, tasks["2.1@a"].encrypted_dockercfg_path) == ("login", None)
    assert (tasks["2.3@b"].dockercfg_service, tasks["2.3@b"].encrypted_dockercfg_path) == (None, "own.enc")
    assert (tasks["3.1.1"].encrypted_dockercfg_path, tasks["3.1.1"].approved) == ("d.enc", True)
    assert [(fail.service, fail.step.command) for fail in tasks["2.2@a"].on_fail] == [("tell", ("oh",))]


def test_what_is_left_out_has_a_reason() -> None:
    plan = expand(read(STEPS), Wishes(ref="main"))
    assert [(task.number, task.skipped) for task in plan.tasks()] == [
        ("1", None),
        ("2.1@a", None),
        ("2.2@a", "main is excluded by main"),
        ("2.3@a", "it pushes, and --push was not given"),
        ("2.1@b", None),
        ("2.2@b", "main is excluded by main"),
        ("2.3@b", "it pushes, and --push was not given"),
        ("3.1.1", "it waits for approval, and --approve was not given"),
    ]
    other = expand(read(STEPS), Wishes(ref="develop", push=True))
    assert {task.skipped for task in other.tasks() if task.number.startswith("2.")} == {"its tag ^ma is not develop"}
    bare = expand(read(STEPS), Wishes(ref=None, push=True, approve=True))
    assert done(bare) == ["1 app", "3.1.1 app"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"only": ["group"]}, ["2.1@a a", "2.2@a a", "2.3@a a", "2.1@b b", "2.2@b b", "2.3@b b"]),
        ({"only": ["one", "1"]}, ["1 app", "2.1@a a", "2.1@b b"]),
        ({"start": "two"}, ["2.2@a a", "2.3@a a", "2.2@b b", "2.3@b b", "3.1.1 app"]),
        ({"skip": ["group", "go"]}, ["1 app"]),
    ],
)
def test_chosen_steps(options: dict[str, list[str]], expected: list[str]) -> None:
    steps = read(STEPS)
    plan = expand(steps, Wishes(ref="master", push=True, approve=True))
    assert done(choose(plan, wanted(steps, **options))) == expected  # type: ignore[arg-type]


def test_a_name_that_there_is_not_or_twice_is_refused() -> None:
    with pytest.raises(InputError, match=r"--only names the step tset, which there is not. Did you mean test\?"):
        wanted(read(STEPS), only=["tset"])
    twice = read(
        "- {name: x, service: a, command: a}\n- {name: y, service: a, command: b}\n- {name: x, service: a, command: c}"
    )
    with pytest.raises(InputError, match=r"Choose one by its number: 1, 3\."):
        wanted(twice, start="x")


def test_what_templates_and_containers_are_told() -> None:
    values = RunValues(branch="v1", commit_id="4f2a", time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), build_id="7")
    variables = values.for_containers(approved=True)
    assert variables["CI_TIMESTAMP"] == "1767323045"
    assert variables["CI_STRING_TIME"] == "2026-01-02T03:04:05Z"
    assert (variables["CI_PR_NUMBER"], variables["CI_PULL_REQUEST"]) == ("", "false")
    assert variables["CI_BUILD_APPROVED"] == "true"
    assert "CI_BUILD_APPROVED" not in values.for_containers()
    template = values.for_templates(step="s", service="a", image="i")
    assert (template["StepName"], template["ServiceName"], template["ImageName"]) == ("s", "a", "i")
    assert template["Time"] == "2026-01-02 03:04:05 +0000 UTC"
    assert template["CI"] == template["Ci"] == "true"
