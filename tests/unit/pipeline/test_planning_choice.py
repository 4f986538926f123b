# SPDX-License-Identifier: MIT
"""`--only`, `--from`, `--skip`, nested tags, and what is not for a person's machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kit_core.errors import InputError
from kit_pipeline.planning.choosing import choice
from kit_pipeline.planning.expand import Wishes, choose, expand
from kit_pipeline.planning.plan import Group
from kit_pipeline.planning.showing import document, lines
from kit_pipeline.planning.values import RunValues
from tests.unit.pipeline import reading

STEPS = """
- {name: test, service: app, command: test}
- name: group
  type: parallel
  services: [a, b/c]
  on_fail: [{service: tell, command: oh}]
  steps:
    - {name: one, command: one}
    - {name: lint, type: serial, steps: [{name: one, command: deep}]}
- {name: lint, service: app, command: last}
- name: publish
  local: false
  type: serial
  service: app
  steps:
    - {name: up, command: up}
    - {name: down, command: down}
- {name: out, service: app, type: push, image_name: "org/{{.RepoName}}", image_tag: "{{.Branch}}", registry: "https://r.example.com/v1"}
"""
NOT_HERE = "it has `local: false`, and this is no CI; --only with its name or --no-local runs it"
VALUES = RunValues(branch="feature/x", commit_id="4f2a", repo_name="shop", time=datetime(2026, 1, 2, tzinfo=UTC))


def planned(
    text: str = STEPS, *, local: bool = False, ref: str | None = None, push: bool = True, **options: Any
) -> Group:
    steps, said = reading.steps(text)
    assert not [line for line in said if "error" in line]
    chosen = choice(steps, **options)
    wishes = Wishes(ref=ref, push=push, approve=True, local=local, named=chosen.exactly)
    return choose(expand(steps, wishes), chosen.why_not)


def done(plan: Group) -> list[str]:
    return [task.number for task in plan.tasks() if not task.skipped]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"only": ["2.1@b/c"]}, ["2.1@b/c"]),
        ({"only": ["2@a"]}, ["2.1@a", "2.2.1@a"]),
        ({"only": ["2.2"]}, ["2.2.1@a", "2.2.1@b/c"]),
        ({"only": ["group/lint"]}, ["2.2.1@a", "2.2.1@b/c"]),
        ({"only": ["lint/one"]}, ["2.2.1@a", "2.2.1@b/c"]),
        ({"only": ["group", "test"], "skip": ["group/one", "2@a"]}, ["1", "2.2.1@b/c"]),
        ({"start": "group/lint"}, ["2.2.1@a", "2.2.1@b/c", "3", "4.1", "4.2", "5"]),
        ({"start": "group", "only": ["test", "up"]}, ["4.1"]),
    ],
)
def test_steps_by_number_name_path_and_service(options: dict[str, Any], expected: list[str]) -> None:
    assert done(planned(**options)) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lint", r"--only names the step lint, and there are several\. Choose one by its number: 2\.2, 3\."),
        ("2.1@c", "--only names the step 2.1@c, which there is not"),
        ("3@a", "--only names the step 3@a, which there is not"),
        ("9", "which there is not. --plan shows every step with its number and name."),
        ("publsih", r"which there is not\. Did you mean publish\?"),
    ],
)
def test_a_name_that_means_nothing_or_too_much(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        planned(only=[name])


def test_what_is_not_for_a_persons_machine() -> None:
    """It is left out there, alone with a reason, unless it is asked for by its own name."""
    assert done(planned(local=False, only=["publish"])) == ["4.1", "4.2"]
    left = planned(local=True)
    assert [number for number in done(left) if number.startswith("4")] == []
    assert {task.skipped for task in left.tasks() if task.number.startswith("4")} == {NOT_HERE}
    assert done(planned(local=True, only=["publish"])) == ["4.1", "4.2"]
    assert done(planned(local=True, only=["up"])) == ["4.1"]
    outer = "{name: x, command: x}, {name: y, local: false, command: y}"
    outer = f"- name: all\n  type: serial\n  service: a\n  steps: [{outer}]"
    assert done(planned(outer, local=True, only=["all"])) == ["1.1"], "a group that is local does not name it"


def test_tags_of_a_group_and_of_a_step_in_it_must_both_fit() -> None:
    text = """
    - type: serial
      service: a
      tag: ^release/
      exclude: ^release/old
      steps:
        - {name: all, command: x}
        - {name: two, tag: ^release/2, command: x}
        - {name: not-two, tag: ^release/, exclude: ^release/2, command: x}
    """
    assert done(planned(text, ref="release/2.0")) == ["1.1", "1.2"]
    assert done(planned(text, ref="release/1.0")) == ["1.1", "1.3"]
    assert done(planned(text, ref="release/old")) == [], "exclude beats tag"
    assert done(planned(text, ref="master")) == []
    assert done(planned(text)) == []


SERVICES = """
app: {build: {context: ./app, dockerfile: Dockerfile.ci}, depends_on: [web], volumes_from: [data]}
web: {image: nginx, links: [db]}
db: {image: "postgres:16"}
data: {image: busybox}
tell: {image: curl, command: tell everybody}
a: {image: a}
"b/c": {image: c}
unused: {image: never}
"""


def test_the_plan_for_people() -> None:
    services, _ = reading.services(SERVICES)
    plan = planned(local=True, skip=["2.1@a"])
    assert lines(plan, services, VALUES) == [
        "1  test: `test` in app, beside web, db",
        "2  group (parallel)",
        "  2@a  a (serial)",
        "    2.1@a  one: left out: --skip names it",
        "    2.2@a  lint (serial)",
        "      2.2.1@a  one: `deep` in a",
        "  2@b/c  b/c (serial)",
        "    2.1@b/c  one: `one` in b/c",
        "    2.2@b/c  lint (serial)",
        "      2.2.1@b/c  one: `deep` in b/c",
        "    on failure: `oh` in tell",
        "3  lint: `last` in app, beside web, db",
        f"4  publish (serial, left out: {NOT_HERE})",
        f"  4.1  up: left out: {NOT_HERE}",
        f"  4.2  down: left out: {NOT_HERE}",
        "5  out: push app to r.example.com/org/shop:featurex",
        "",
        "Images, each made when a step first needs it:",
        "  app   built from ./app with Dockerfile.ci",
        "  web   image nginx",
        "  db    image postgres:16",
        "  data  image busybox",
        "  a     image a",
        "  b/c   image c",
        "  tell  image curl",
    ]


def test_the_plan_for_programs() -> None:
    services, _ = reading.services(SERVICES)
    found = document(planned(push=False, only=["out", "test"]), services, VALUES)
    assert found["steps"][0] == {
        "number": "1", "name": "test", "left_out": None, "type": "run", "service": "app", "file": "t.yml", "line": 2,
        "command": ["test"], "beside": ["web", "db"], "on_fail": [],
    }  # fmt: skip
    assert found["steps"][1]["steps"][0]["steps"][0]["left_out"] == "--only names others"
    assert found["steps"][-1]["left_out"] == "it pushes, and --push was not given"
    assert found["steps"][-1]["push"] == "r.example.com/org/shop:featurex"
    assert sorted(found["services"]) == ["app", "data", "db", "web"]
    assert found["services"]["app"] == {"source": "built from ./app with Dockerfile.ci", "beside": ["web", "db"]}
