# SPDX-License-Identifier: MIT
"""Steps files: every key of a step, and what is said of those that are wrong."""

from __future__ import annotations

import pytest

from kit_pipeline.files.step import Push
from kit_pipeline.files.steps import every
from tests.unit.pipeline.reading import steps


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
        ("- {service: a, comand: x}", "Did you mean `command`?"),
        (
            "- {service: a, name: n, command: x}\n- {service: b, name: n, command: y}",
            "t.yml:2:16: warning: two steps are called n. Choose one by its number: 1 or 2.",
        ),
        ("- {type: manual, service: a, steps: [{command: x}]}\n- {service: a, command: y}", "is not the last one"),
        ("- {service: a, command: x, on_fail: {command: y}}", "`on_fail` of a is a map, and a list is wanted"),
        ("- {service: [a, b], command: x}", "error: `service` is a list, and one value is wanted"),
        ("- {service: a, command: x, environment: {A: b}}", "It belongs to a service, in the services file."),
        ("- {service: a, command: x, build: .}", "It belongs to a service, in the services file."),
        ("- {service: a, command: x, tag: [a, b]}", "error: `tag` is a list, and one value is wanted"),
        ("- {service: a, command: x, local: perhaps}", "error: `local` is 'perhaps', and true or false is wanted"),
        ("- {service: a, command: x, steps: [{command: y}], type: run}", "holds steps and is of the type `run`"),
        (
            "- {type: serial, service: a, image_tag: x, steps: [{command: y}]}",
            "`image_tag` of the group a has no",
        ),
        ("- {type: serial, service: a, steps: {command: y}}", "the group a holds no steps"),
        ("- {type: deploy, service: a}", "There are `run`, `push`, `serial`, `parallel`, `manual`, `matrix`."),
        ("- {type: push, service: a, image_name: x, command: y}", "the command of the push step x has no effect"),
        ("- {service: a, command: x, on_fail: [y]}", "`on_fail` of a holds a single value, and a map is wanted"),
        ("- {service: a, command: x, on_fail: [{comand: y}]}", "Did you mean `command`?"),
        ("- {services: [a, b], type: serial, steps: [{command: x}], on_fail: [{command: y}]}", "names no service"),
        ("- {service: a}", "note: step a has no command. Its container runs what its image or service says."),
        ("service: a\ncommand: b", "put `- ` before the first step too"),
        ("-type: run\n-service: b", "a `-` that begins an item needs a space behind it."),
        ("FROM debian\n", "This is a Dockerfile: is it saved under the wrong name?"),
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
    "command",
    [
        "npm test", "sh -c 'a && b; echo $HOME'", 'bash -ec "a | b > c"', "timeout 5 /bin/sh -c 'a || b'", "a --x=$",
        "awk '{print $1}'", 'grep "a|b;c"', "grep 'a && b'", "--flag=1", "curl http://x/?a&b", "rsync a:b", "./run.sh",
        '[sh, "a && b"]', "echo '$HOME'", r"echo \$HOME", r"find . -exec x {} \;", "find . -name x -exec y {} +",
        "make A=b",
    ],
)  # fmt: skip
def test_nothing_is_said_of_a_command_that_needs_no_shell(command: str) -> None:
    assert steps(f"- service: a\n  command: {command}")[1] == []


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        ("x && y", "`&&`"), ("x || y", "`||`"), ("x; y", "`;`"), ("x ; y", "`;`"), ("x | y", "`|`"), ("x > y", "`>`"),
        ("x >y", "`>y`"), ("x 2>&1", "`2>&1`"), ("x &", "`&`"), ("x < y", "`<`"),
        ("A=b run", "`A=…` before its program"), ("A=b/c run", "`A=…` before its program"),
        ("echo $HOME", "a variable (`$HOME`)"), ("echo ${HOME}", "a variable (`${HOME}`)"),
        ("""'echo "$HOME"'""", "a variable"), ("echo $(date)", "a variable (`$(date)`)"),
        ("echo $1", "a variable (`$1`)"),
        ("x 'a && b' && y", "`&&`"),
    ],
)  # fmt: skip
def test_what_only_a_shell_would_understand_is_a_warning_and_passed_on(command: str, sign: str) -> None:
    (step,), said = steps(f"- service: a\n  command: {command}")
    assert len(said) == 1
    assert f"warning: the command of step a has {sign}" in said[0]
    assert "There is no shell here: use `sh -c '…'`, or a script." in said[0]
    assert step.command


def test_a_step_that_is_not_for_a_persons_machine_says_so_for_all_in_it() -> None:
    read, said = steps(
        """
        - {type: serial, local: false, service: a, steps: [{command: x}, {command: y, local: true}]}
        - {service: a, command: x, local: no}
        - {service: a, command: x, local: }
        - {service: a, command: x}
        """
    )
    assert said == []
    assert [(step.number, step.local) for step in every(read)] == [
        ("1", False), ("1.1", False), ("1.2", False), ("2", False), ("3", True), ("4", True),
    ]  # fmt: skip


def test_names_are_warned_of_once_in_a_list_and_not_where_an_anchor_repeats_them() -> None:
    _, said = steps(
        """
        - {type: serial, service: a, steps: &all [{name: n, command: x}, {command: y}]}
        - {type: serial, service: b, steps: *all}
        - {type: serial, service: c, steps: [{name: n, command: x}]}
        """
    )
    assert said == []


def test_a_group_without_a_type_is_serial_and_services_may_be_one_text() -> None:
    (group,), said = steps("- {services: a, steps: [{command: x}]}")
    assert said == []
    assert (group.kind, group.services, group.steps[0].services) == ("serial", ("a",), ())


def test_anchors_that_mean_endless_steps_are_refused() -> None:
    text = "- &a {type: serial, service: s, steps: [{command: x}]}\n"
    for name, other in zip("bcdefgh", "abcdefg", strict=True):
        text += f"- &{name} {{type: serial, steps: [{', '.join([f'*{other}'] * 10)}]}}\n"
    assert any("there are more than 10000 steps" in line for line in steps(text)[1])
    text = "- &a0 {type: serial, service: s, steps: [{command: x}]}\n"
    text += "".join(f"- &a{n} {{type: serial, steps: [*a{n - 1}]}}\n" for n in range(1, 60))
    assert any("groups are nested more than 50 deep" in line for line in steps(text)[1])
