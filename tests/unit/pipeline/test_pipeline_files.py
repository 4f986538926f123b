# SPDX-License-Identifier: MIT
"""Services and steps files: what they mean, and what is said of those that are wrong."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from kit_core.errors import InputError
from kit_pipeline.files.checking import check
from kit_pipeline.files.find import services_file, steps_file
from kit_pipeline.files.finding import Finding, WrongFiles, refuse
from kit_pipeline.files.reading import parse_text
from kit_pipeline.files.service import Build, Link, Service, Volume
from kit_pipeline.files.services import interpolated, read_services
from kit_pipeline.files.step import Push, Step
from kit_pipeline.files.steps import every, read_steps

ROOT = Path(__file__).parents[3]


def services(text: str) -> tuple[dict[str, Service], list[str]]:
    """The services, and everything that is said of them."""
    found: list[Finding] = []
    read = read_services(parse_text(dedent(text), shown="s.yml"), found.append)
    return read, [str(finding) for finding in found]


def steps(text: str) -> tuple[tuple[Step, ...], list[str]]:
    """The steps, likewise."""
    found: list[Finding] = []
    read = read_steps(parse_text(dedent(text), shown="t.yml"), found.append)
    return read, [str(finding) for finding in found]


def both(first: str, second: str) -> list[str]:
    """What only the two files together tell."""
    found: list[Finding] = []
    check(services(first)[0], steps(second)[0], found.append)
    return [str(finding) for finding in found]


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


def test_a_list_of_variables_keeps_quotes_backslashes_and_dollars() -> None:
    read, said = services(
        r"""
        app:
          image: a
          environment:
            - A="x y"
            - B=C:\dir\$HOME=1
            - FROM_HERE
          env_file: one.env
          encrypted_env_file: [a.enc, b.enc]
        """
    )
    assert said == []
    assert read["app"].environment == (("A", '"x y"'), ("B", r"C:\dir\$HOME=1"), ("FROM_HERE", None))
    assert read["app"].env_files == ("one.env",)
    assert read["app"].encrypted_env_files == ("a.enc", "b.enc")


def test_builds_in_every_form() -> None:
    read, said = services(
        """
        a: {build: ./a, dockerfile: Dockerfile.a}
        b: {build: {context: b}}
        c:
          build:
            image: Org/C:1
            dockerfile: docker/c
            args: ["V={{.CommitID}}", BARE]
            encrypted_args: [one, two]
            encrypted_args_file: args.enc
        d: {build: {path: d, dockerfile_path: other}}
        """
    )
    assert read["a"].build == Build(context="./a", dockerfile="Dockerfile.a")
    assert read["b"].build == Build(context="b")
    assert read["c"].build == Build(
        image="Org/C:1", dockerfile="docker/c", args=(("V", "{{.CommitID}}"), ("BARE", None)),
        encrypted_args=("one", "two"), encrypted_args_files=("args.enc",),
    )  # fmt: skip
    assert read["d"].build == Build(context="d", dockerfile="other")
    assert said == [
        "s.yml:11:13: note: `path` is the old name of `context`.",
        "s.yml:11:22: note: `dockerfile_path` is the old name of `dockerfile`.",
    ]


def test_volumes_links_and_dependencies() -> None:
    read, said = services(
        """
        services:
          app:
            image: a
            volumes: [".:/x", "./f.txt:/f:ro", ".tars:/tars", "cache:/c", "kept:/k", /scratch, /x/s:/s]
            links: ["db:db.internal", "db:data", redis]
            depends_on: {db: {condition: service_healthy}}
        volumes:
          kept:
        """
    )
    app = read["app"]
    assert app.volumes == (
        Volume("/x", "."), Volume("/f", "./f.txt", "ro"), Volume("/tars", ".tars"), Volume("/c", "cache"),
        Volume("/k", None), Volume("/scratch"), Volume("/s", "/x/s"),
    )  # fmt: skip
    assert app.links == (Link("db", "db.internal"), Link("db", "data"), Link("redis", "redis"))
    assert app.needs == ("db", "redis")
    assert [line.partition(": ")[2].partition(".")[0] for line in said] == [
        "note: `volumes` at the top has no effect here",
        "note: the volume /x/s:/s names a folder of this machine outside of the repository",
        "note: the conditions of `depends_on` have no effect here",
    ]


def test_anchors_and_merges() -> None:
    read, said = services(
        """
        base: &base
          image: ruby:3
          environment: &env {A: "1"}
        app:
          <<: *base
          environment: {<<: *env, B: "2"}
        """
    )
    assert said == []
    assert (read["app"].image, dict(read["app"].environment)) == ("ruby:3", {"A": "1", "B": "2"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("app: {image: a, build: .}", "s.yml:1:7: error: service app has both `build` and `image`"),
        ("app: {image: a, enviroment: {A: b}}", "Did you mean `environment`?"),
        ("app: {build: {context: ., cached: true}}", "`cached` of app stands under `build`. It belongs one level up."),
        ("app: {build: {image_tag: x}}", "It belongs to a push step."),
        ("app: {image: a, ports: [80]}", "note: `ports` of service app has no effect here"),
        ("app: {image: a, container_name: x}", "note: `container_name` of service app has no effect here"),
        ("app: {image: [a]}", "error: `image` is a list, and one value is wanted"),
        ("app: {image: a, environment: {A: {b: c}}}", "error: `environment` holds more than values"),
        ("app: {image: a, add_docker: perhaps}", "error: `add_docker` is 'perhaps', and true or false is wanted"),
        ('app: {image: a, command: "echo \'x"}', "error: `command` has a quote that is not closed"),
        ("app: {image: a}\napp: {image: b}", "s.yml:2:1: warning: this key stands twice in one map"),
        ("app:", "error: service app is a single value, and a map is wanted"),
        ("- app", "error: the file is a list, and a map of services is wanted. Have the two files changed places?"),
        ("", "error: the file is empty"),
        ("{}", "error: the file is empty"),
    ],
)
def test_what_is_said_of_a_services_file(text: str, said: str) -> None:
    assert any(said in line for line in services(text)[1]), services(text)[1]


def test_steps_in_every_form() -> None:
    read, said = steps(
        """
        ---
          - name: lint   # with a list that is indented, and a comment
            service: app
            command: sh -c 'echo "a b"'
          - type: parallel
            service: app
            tag: ^master$
            steps:
              - command: one
              - type: serial
                exclude: v1
                steps: [{command: [two, "x y"]}]
          - type: push
            service: app
            image_name: org/app
            image_tag: "{{.Branch}}"
            registry: https://r.example.com
            encrypted_dockercfg_path: d.enc
            on_fail: [{service: tell, command: failed}, {command: own}]
          - type: matrix
            services: [a, b]
            steps: [{command: x}]
        """
    )
    assert [(step.number, step.kind, step.name) for step in every(read)] == [
        ("1", "run", "lint"), ("2", "parallel", "app"), ("2.1", "run", "app"), ("2.2", "serial", "app"),
        ("2.2.1", "run", "app"), ("3", "push", "org/app"), ("4", "serial", "step 4"), ("4.1", "run", "step 4.1"),
    ]  # fmt: skip
    assert read[0].command == ("sh", "-c", 'echo "a b"')
    assert read[1].steps[1].steps[0].command == ("two", "x y")
    assert (read[1].tag, read[1].steps[1].exclude) == ("^master$", "v1")
    assert read[2].push == Push(image="org/app", tag="{{.Branch}}", registry="https://r.example.com")
    assert [(step.services, step.command) for step in read[2].on_fail] == [
        (("tell",), ("failed",)),
        (("app",), ("own",)),
    ]
    assert read[3].services == ("a", "b")
    assert [line for line in said if "error" in line or "warning" in line] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {type: parralel, steps: [{service: a, command: x}]}", "is no type of step. Did you mean `parallel`?"),
        ("- {command: x}", "names no service. Add `service: NAME`."),
        ("- {service: a, services: [b], command: x}", "a step has both `service` and `services`"),
        ("- {services: [a, b], command: x}", "names several services. Only a group may."),
        ("- {type: serial, service: a, steps: [{service: b, command: x}]}", "names a service, and so does the group"),
        (
            "- {type: serial, service: a, steps: [{type: parallel, steps: [{service: b, command: x}]}]}",
            "so does the group",
        ),
        ("- {type: serial, service: a}", "the group a holds no steps"),
        ("- {type: push, service: a}", "has no `image_name`"),
        (
            "- {service: a, command: x, registry: r}",
            "`registry` has no effect on step a. It belongs to a step of the type",
        ),
        (
            "- {service: a, command: x && y}",
            "has `&&` in it, which goes to the program as it is. There is no shell here",
        ),
        ("- {service: a, command: echo $HOME}", "has a variable in it"),
        ("- {service: a, command: A=b run}", "has a variable in it"),
        ("- {service: a, comand: x}", "Did you mean `command`?"),
        (
            "- {service: a, command: x}\n- {service: a, command: y}",
            "two steps are called a. Choose one by its number: 1 or 2.",
        ),
        ("- {type: manual, service: a, steps: [{command: x}]}\n- {service: a, command: y}", "is not the last one"),
        ("- {service: a, command: x, on_fail: {command: y}}", "`on_fail` of a is a map, and a list is wanted"),
        ("- just text", "a step is a single value, and a map is wanted"),
        ("app: {image: a}", "the file is a map, and a list of steps is wanted"),
        ("steps: [{service: a, command: x}]", "the steps stand below `steps:`. The file itself is the list"),
        ("", "the file is empty"),
    ],
)
def test_what_is_said_of_a_steps_file(text: str, said: str) -> None:
    found = steps(text)[1]
    assert any(said in line and line.startswith("t.yml:") for line in found), found


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
        ("app: {image: a}\nbase: {working_dir: /x}", ONE_STEP, "warning: service base has neither"),
        (
            "app: {image: a, links: [b]}\nb: {image: b, depends_on: [app]}",
            ONE_STEP,
            "error: services need each other in a circle: app → b → app",
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
    with pytest.raises(WrongFiles, match=r"t.yml:1:3: step step 1 names no service: and 1 more error. Add"):
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


def test_compose_fills_in_variables() -> None:
    assert interpolated("$A-${B:-x}-${C-y}-$$A-${D}", {"A": "1", "B": "", "C": ""}) == "1-x--$A-"


@pytest.mark.parametrize("folder", [".", "examples/service-repo", "examples/deployments-repo"])
def test_our_own_files_have_nothing_wrong(folder: str) -> None:
    texts = [(ROOT / folder / f"codeship-{what}.yml").read_text("utf-8") for what in ("services", "steps")]
    assert services(texts[0])[1] + steps(texts[1])[1] + both(*texts) == []
