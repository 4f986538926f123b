# SPDX-License-Identifier: MIT
"""Services files: every key of a service, and what is said of those that are wrong."""

from __future__ import annotations

import pytest

from kit_pipeline.files.service import Build, Link, Volume
from tests.unit.pipeline.reading import services


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


def test_what_has_no_effect_is_noted_once_a_file() -> None:
    service = "{image: i, ports: [80], tty: true, build: {path: x, dockerfile_path: y}}".replace("image: i, ", "")
    said = services(f"a: {service}\nb: {service}\nc: {{image: i, networks: [n]}}\n")[1]
    assert said == [
        "s.yml:1:5: note: `ports` of a service has no effect here.",
        "s.yml:1:18: note: `tty` of a service has no effect here.",
        "s.yml:1:37: note: `path` is the old name of `context`.",
        "s.yml:1:46: note: `dockerfile_path` is the old name of `dockerfile`.",
        "s.yml:3:15: note: `networks` of a service has no effect here.",
    ]


IGNORED = """networks network_mode container_name devices extends init logging pid tmpfs tty ulimits stop_signal
    stop_grace_period labels privileged ports stdin_open external_links cgroup_parent cpu_quota group_add ipc isolation
    log_driver log_opt mac_address memswap_limit mem_swappiness oom_score_adj oom_scope_adj volume_driver"""


@pytest.mark.parametrize("key", IGNORED.split())
def test_every_key_of_compose_without_effect_is_a_note_whatever_it_holds(key: str) -> None:
    for value in ("x", "[x, {y: z}]", "{x: {y: z}}", ""):
        assert services(f"app: {{image: a, {key}: {value}}}")[1] == [
            f"s.yml:1:17: note: `{key}` of a service has no effect here."
        ]


TOP = "volumes: {data: {}}\nnetworks: {n: {}}"


def test_what_compose_has_at_the_top_is_no_service() -> None:
    for text in (
        f"version: '3'\nx-base: &b {{tty: true}}\n{TOP}\napp: {{image: a, volumes: ['data:/d']}}",
        f"services: {{app: {{image: a, volumes: ['data:/d']}}}}\nx-base: {{}}\n{TOP}\nname: p",
    ):
        read, said = services(text)
        assert list(read) == ["app"]
        assert read["app"].volumes == (Volume("/d"),)
        assert all("at the top has no effect here" in line for line in said), said
    assert list(services("services: {image: a}\nvolumes: {image: b}")[0]) == ["services", "volumes"]


def test_everything_that_the_engine_gets_as_it_is() -> None:
    read, said = services(
        """
        app:
          image: a
          user: 01
          cpu_shares: 073
          mem_limit: 1.50g
          read_only: yes
          restart: on-failure:3
          working_dir: /x
          hostname: h
          domainname: d
          cpuset: 0,1
          dns: 1.1.1.1
          dns_search: [a.b]
          extra_hosts: {db: 10.0.0.1}
          expose: [80, "53/udp"]
          cap_add: [A]
          cap_drop: B
          security_opt: [c:d]
        """
    )
    assert said == []
    assert read["app"].passed_on == {
        "user": "01", "cpu_shares": "073", "mem_limit": "1.50g", "read_only": "true", "restart": "on-failure:3",
        "working_dir": "/x", "hostname": "h", "domainname": "d", "cpuset": "0,1", "dns": ("1.1.1.1",),
        "dns_search": ("a.b",), "extra_hosts": ("db:10.0.0.1",), "expose": ("80", "53/udp"), "cap_add": ("A",),
        "cap_drop": ("B",), "security_opt": ("c:d",),
    }  # fmt: skip
    assert services("app: {image: a, extra_hosts: ['db:10.0.0.1']}")[0]["app"].passed_on == {
        "extra_hosts": ("db:10.0.0.1",)
    }


@pytest.mark.parametrize("key", ["command", "entrypoint"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sh -c 'a \"b\"'", ("sh", "-c", 'a "b"')),
        ('[a, "b c", "", ~, 01]', ("a", "b c", "", "~", "01")),
        ("a\\ b c", ("a b", "c")),
        (">\n    a\n    b\n", ("a", "b")),
        ("|\n    a b\n    c\n", ("a", "b", "c")),
        ("", None),
        ("null", None),
        ("'null'", ("null",)),
    ],
)
def test_commands_are_split_like_in_a_shell_unless_they_are_lists(
    key: str, text: str, words: tuple[str, ...] | None
) -> None:
    read, said = services(f"app:\n  image: a\n  {key}: {text}")
    assert said == []
    assert getattr(read["app"], key) == words


def test_names_need_not_be_names_of_hosts_and_unicode_stays() -> None:
    read, _ = services("test/php-7.2: {image: a}\n? mysql/base\n: {image: b}\nbrokerDb: {image: ü}\n'1.10': {image: c}")
    assert [(name, service.image) for name, service in read.items()] == [
        ("test/php-7.2", "a"), ("mysql/base", "b"), ("brokerDb", "ü"), ("1.10", "c"),
    ]  # fmt: skip


def test_a_json_file_with_tabs_nulls_and_escapes() -> None:
    read, said = services(
        '{\n\t"app": {\n\t\t"image": "org\\/a",\n\t\t"command": null,\n\t\t"add_docker": true,\n'
        '\t\t"environment": {"A": 1.10, "B": null, "C": "\\u00e9", "D": "\\\\\\ud83d\\ude00"}\n\t}\n}\n'
    )
    assert said == []
    app = read["app"]
    assert (app.image, app.command, app.add_docker) == ("org/a", None, True)
    assert dict(app.environment) == {"A": "1.10", "B": "null", "C": "é", "D": "\\😀"}


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
        ("app: {build: {context: ., cached: true}}", "`build` of app has no key `cached`. It belongs one level up."),
        ("app: {build: {image_tag: x}}", "It belongs to a push step."),
        ("app: {image: a, ports: [80]}", "note: `ports` of a service has no effect here"),
        ("app: {image: a, container_name: x}", "note: `container_name` of a service has no effect here"),
        ("app: {image: [a]}", "error: `image` is a list, and one value is wanted"),
        (
            "app: {image: a, environment: {A: {b: c}}}",
            "1:31: error: A in `environment` is a map",
        ),
        ("app: {image: a, add_docker: perhaps}", "error: `add_docker` is 'perhaps', and true or false is wanted"),
        ('app: {image: a, command: "echo \'x"}', "error: `command` has a quote that is not closed"),
        ("app: {image: a}\napp: {image: b}", "s.yml:2:1: warning: this key stands twice in one map"),
        ("app:", "error: service app is empty, and a map is wanted"),
        ("app: nginx", "error: service app is a single value, and a map is wanted. It has `image` or `build`. Is this"),
        ("app: {image: a, context: b}", "It belongs one level down, under `build`."),
        ("app: {image: a, encrypted_args: [b]}", "It belongs one level down, under `build`."),
        ("app: {image: a, tag: b}", "It belongs to a step, in the steps file."),
        ("app: {build: {registry: r}}", "It belongs to a push step."),
        ("app: {build: [a]}", "error: `build` of app is a list, and a path or a map is wanted"),
        ("app: {image: a, dockerfile: b}", "s.yml:1:17: note: `dockerfile` of app has no effect beside `image`"),
        ("app: {image: a, environment: [=b]}", "error: `environment` holds a value without a name"),
        ("app: {image: a, environment: [{A: b}]}", "error: `environment` holds a map, and single values are wanted"),
        ("app: {image: a, env_file: {a: b}}", "error: `env_file` is a map, and a value or a list of values is wanted"),
        ("app: {image: a, volumes: [x]}", "error: the volume x does not say where it is in the container"),
        ("app: {image: a, volumes: ['./x:y']}", "error: the volume ./x:y does not say where it is in the container"),
        ("app: {image: a, volumes: [':/y']}", "error: the volume :/y has nothing before its colon"),
        ("app: {image: a, volumes: [~/x:/y]}", "means a folder called ~. `~` is not filled in here"),
        ("app: {image: a, volumes: [{type: bind}]}", "s.yml:1:27: error: `volumes` holds a map"),
        ("app: {image: a, command: 'x \\'}", "error: `command` ends with a backslash"),
        ("app: {image: a, command: {a: b}}", "error: `command` is a map, and one value is wanted"),
        ("app: {image: a, read_only: perhaps}", "error: `read_only` is 'perhaps', and true or false is wanted"),
        (
            "app:\nimage: a",
            "s.yml:2:1: error: service image is a single value, and a map is wanted. `image` is a key of a",
        ),
        ("FROM debian", "This is a Dockerfile: is it saved under the wrong name?"),
        (
            "services: {app: {image: a}}\nother: {image: b}",
            "`other` stands beside `services:`",
        ),
        ("- app", "error: the file is a list, and a map of services is wanted. Have the two files changed places?"),
        ("", "error: the file is empty"),
        ("{}", "error: the file is empty"),
    ],
)
def test_what_is_said_of_a_services_file(text: str, said: str) -> None:
    assert any(said in line for line in services(text)[1]), services(text)[1]
