# SPDX-License-Identifier: MIT
"""What containers find in their environment, and what of a service the engine gets as it is."""

from __future__ import annotations

import json

import pytest

from tests.pipeline.project import COMMIT, Project

BASE = "debian:trixie-slim"
CI = {
    "CI": "true", "CI_NAME": "codeship", "CI_PROJECT_ID": "41", "CI_BUILD_ID": "42", "CI_REPO_NAME": "acme/shop",
    "CI_BRANCH": "master", "CI_COMMIT_ID": COMMIT, "CI_COMMIT_MESSAGE": "Fix\n\nall", "CI_COMMIT_DESCRIPTION": "v1-2",
    "CI_COMMITTER_NAME": "A. Cat", "CI_COMMITTER_EMAIL": "cat@example.com", "CI_COMMITTER_USERNAME": "cat",
    "CI_TIMESTAMP": "1700000000", "CI_STRING_TIME": "2023-11-14T22:13:20Z", "CI_PR_NUMBER": "7",
    "CI_PULL_REQUEST": "https://example.com/7",
}  # fmt: skip


def test_every_variable_of_the_build_is_there(project: Project) -> None:
    print_all = r"""["perl", "-e", "print map { qq($_=) . $ENV{$_} =~ s/\\n/~/gr . qq(\\n) } grep /^CI/, keys %ENV"]"""
    project.pipeline(
        f"app: {{image: '{BASE}'}}",
        f"- {{name: before, service: app, command: {print_all}}}\n"
        f"- type: manual\n  steps: [{{name: approved, service: app, command: {print_all}}}]\n",
    )
    given = {name: value for name, value in CI.items() if name not in {"CI", "CI_NAME", "CI_STRING_TIME"}}
    options = [part for name, value in given.items() for part in (f"--{name.lower().replace('_', '-')}", value)]
    done = project.kit("steps", "--approve", *options)
    assert done.code == 0, done.log
    assert _variables(done.said("before")) == {name: value.replace("\n", "~") for name, value in CI.items()}
    assert _variables(done.said("approved"))["CI_BUILD_APPROVED"] == "true"
    bare = project.kit("steps", "--ci-commit-id", COMMIT)
    found = _variables(bare.said("before"))
    assert set(found) == set(CI), "all are set, also where nothing is known"
    assert (found["CI_PULL_REQUEST"], found["CI_PR_NUMBER"]) == ("false", "")


def test_each_kind_of_variable_overrides_those_before_it(project: Project) -> None:
    names = ["A", "B", "C", "D", "E"]
    kinds = {"one.env": "env_file", "two.env": "second env_file", "three.enc": "encrypted_env_file"}
    for index, (file, kind) in enumerate(kinds.items(), 1):
        text = "".join(f"{name}={kind} {name}\n" for name in names[index:])
        project.encrypted(file, text) if file.endswith("enc") else project.write({file: text})
    project.pipeline(
        f"""
        app:
          image: {BASE}
          environment:
            - A=environment A
            - B=environment B
            - C=environment C
            - D=environment D
            - 'QUOTED="a \\n $HOME"'
            - FROM_HERE
            - NOT_HERE
            - EMPTY=
          env_file: [one.env, two.env]
          encrypted_env_file: three.enc
        mapped:
          image: {BASE}
          environment: {{PORT: 0123, RATIO: 9.30, FLAG: yes, NOTHING: , DATE: 2001-01-01}}
        """.replace("\n        ", "\n"),
        """
        - {name: list, service: app, command: sh -c "env | sort"}
        - {name: map, service: mapped, command: sh -c "env | sort"}
        """.replace("\n        ", "\n"),
    )
    done = project.green("-e", "E=command line", FROM_HERE="from the machine")
    said = done.said("list")
    assert "A=environment A" in said
    assert "B=env_file B" in said
    assert "C=second env_file C" in said
    assert "E=command line" in said
    assert 'QUOTED="a \\n $HOME"' in said, "quotes and backslashes stay, nothing is filled in"
    assert "FROM_HERE=from the machine" in said
    assert "EMPTY=" in said
    assert not [line for line in said if line.startswith("NOT_HERE")]
    assert "D=encrypted_env_file D" not in done.log, "what was encrypted is hidden"
    assert "D=***" in said or any(line.startswith("D=") and "environment" not in line for line in said)
    mapped = done.said("map")
    for line in ("PORT=0123", "RATIO=9.30", "FLAG=yes", "DATE=2001-01-01"):
        assert line in mapped, "as they are written"


def test_what_is_passed_on_reaches_the_container(project: Project) -> None:
    shown = (
        "id -u; pwd; hostname -f; cat /etc/resolv.conf; getent hosts far.example.com; "
        "touch /x; grep CapBnd /proc/self/status; "
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max; "
        "cat /sys/fs/cgroup/cpu/cpu.shares; grep Cpus_allowed_list /proc/self/status; grep NoNewPrivs /proc/self/status"
    )
    project.pipeline(
        f"""
        app:
          image: {BASE}
          user: 1234
          working_dir: /var/tmp
          hostname: shop
          domainname: example.net
          dns_search: example.org
          extra_hosts: ["far.example.com:10.9.8.7", "v6.example.com:fe80::1"]
          read_only: true
          cap_drop: [ALL]
          cap_add: NET_ADMIN
          mem_limit: 64m
          cpu_shares: 512
          cpuset: 0
          security_opt: no-new-privileges
          expose: [80, "53/udp", 8000-8002]
          privileged: true
        """.replace("\n        ", "\n"),
        f"- {{name: shown, service: app, command: {json.dumps(['sh', '-c', shown + '; true'])}}}",
    )
    done = project.green()
    said = " ".join(" ".join(done.said("shown")).split())
    for words in (
        "1234", "/var/tmp", "shop.example.net", "search example.org", "10.9.8.7", "Read-only file system",
        "0000000000001000", "67108864", "Cpus_allowed_list: 0", "NoNewPrivs: 1",
    ):  # fmt: skip
        assert words in said, words
    assert "`privileged` of" in done.log


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("cpu_shares", "many", "`cpu_shares` is many: a whole number is wanted"),
        ("mem_limit", "much", "much"),
        ("extra_hosts", "nowhere", "`extra_hosts` holds nowhere"),
        ("expose", "http", "`expose` is http"),
        ("cap_add", "FLYING", "FLYING"),
        ("user", "nobody-of-that-name", "nobody-of-that-name"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(project: Project, key: str, value: str, words: str) -> None:
    project.pipeline(f"app: {{image: '{BASE}', {key}: {value}}}", "- {service: app, command: 'true'}")
    done = project.steps()
    assert done.code in {1, 2}
    assert words in done.log
    assert "fault" not in done.log


def test_a_command_is_split_at_quotes_and_never_read_by_a_shell(project: Project) -> None:
    project.pipeline(
        f"""
        app: {{image: '{BASE}'}}
        words:
          build: {{dockerfile: Dockerfile}}
        own:
          image: {BASE}
          entrypoint: printf "%s|"
          command: its "own words"
        """.replace("\n        ", "\n"),
        """
        - {name: quotes, service: words, command: one 'two three' "four \\"five\\"" 01 9.30 true}
        - {name: operators, service: words, command: 'a && b; $HOME > c'}
        - {name: options, service: words, command: --verbose -x}
        - {name: list, service: words, command: [a b, "c"]}
        - {name: its own, service: words}
        - {name: entrypoint, service: own, command: x y}
        - {name: both, service: own}
        - name: folded
          service: words
          command: >
            one
            two
        """.replace("\n        ", "\n"),
    )
    project.write({"Dockerfile": f'FROM {BASE}\nENTRYPOINT ["printf", "[%s]"]\nCMD ["the image\'s"]\n'})
    done = project.green()
    assert done.said("quotes") == ['[one][two three][four "five"][01][9.30][true]']
    assert done.said("operators") == ["[a][&&][b;][$HOME][>][c]"]
    assert done.said("options") == ["[--verbose][-x]"]
    assert done.said("list") == ["[a b][c]"]
    assert done.said("its own") == ["[the image's]"]
    assert done.said("entrypoint") == ["x|y|"]
    assert done.said("both") == ["its|own words|"]
    assert done.said("folded") == ["[one][two]"]


def _variables(lines: list[str]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in lines)
