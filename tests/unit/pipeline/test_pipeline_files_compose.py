# SPDX-License-Identifier: MIT
"""docker-compose.yml in place of a services file: `$NAME` as Compose fills it in, and what else is different there."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit_pipeline.files.find import services_file
from kit_pipeline.files.finding import Finding
from kit_pipeline.files.interpolation import Wrong, env_values, interpolated
from kit_pipeline.files.loading import load_services
from kit_pipeline.files.service import Build, Service

VALUES = {"A": "1", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$A-${A}", "1-1"),
        ("$$A $${A} a$$", "$A ${A} a$"),
        ("${EMPTY:-x}${EMPTY-x}", "x"),
        ("${NO:-x}${NO-y}${A:-z}${A-z}", "xy11"),
        ("${A:?no}${A?no}${EMPTY?no}", "11"),
        ("${A:+x}${A+y}${EMPTY:+x}${EMPTY+y}${NO+x}", "xyy"),
        ("${NO:-${A}-$EMPTY}", "1-"),
        ("${NO:-a b:c/d}", "a b:c/d"),
        ("${NO:-$$A}", "$A"),
        ("${A:+${NO:-x}}", "x"),
        ("no variable", "no variable"),
    ],
)
def test_variables_are_filled_in(text: str, filled: str) -> None:
    assert interpolated(text, VALUES) == (filled, ())


def test_what_is_not_set_stands_for_nothing_and_is_told() -> None:
    assert interpolated("<$B>${C}$B", VALUES) == ("<>", ("B", "C"))
    assert interpolated("${A:-$B}", VALUES) == ("1", ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$1", "`$1` names no variable"),
        ("a$", "`$` names no variable"),
        ("${}", "`${}` names no variable"),
        ("${A", "is no variable"),
        ("${A:-b", "is not closed"),
        ("${A!b}", "is no variable: behind its name stands `}`"),
        ("${NO:?give it}", "the variable NO is wanted: give it"),
        ("${NO?}", "the variable NO is wanted"),
        ("${EMPTY:?}", "the variable EMPTY is wanted"),
        ("${A:-" * 100 + "}" * 100, "nested too deeply"),
    ],
)
def test_what_is_no_variable_is_told(text: str, said: str) -> None:
    with pytest.raises(Wrong) as error:
        interpolated(text, VALUES)
    assert said in str(error.value)


def load(folder: Path, name: str, text: str, **env: str) -> tuple[dict[str, Service], list[str]]:
    (folder / name).write_text(text)
    found: list[Finding] = []
    services = load_services(services_file(folder), found.append, shown=name, env=env)
    return services, [str(finding) for finding in found]


COMPOSE = """
services:
  app:
    build: {context: "${DIR:-.}", args: [V=$V]}
    image: org/app:$V
    command: echo $$HOME $A
    environment: {A: "${A}", $A: b}
    volumes: ["$PWD/x:/x"]
  db:
    image: postgres:${PG}
"""


def test_the_environment_and_the_file_beside_it_are_filled_in(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("V=2\nPG=16\n# no\nA=of the file\n")
    services, said = load(tmp_path, "docker-compose.yml", COMPOSE, V="3", A="a", PWD="/here")
    app = services["app"]
    assert app.build == Build(image="org/app:3", context=".", args=(("V", "3"),))
    assert app.image is None, "the name of what is built"
    assert app.command == ("echo", "$HOME", "a")
    assert dict(app.environment) == {"A": "a", "$A": "b"}, "keys stay"
    assert services["db"].image == "postgres:16"
    assert [line.split(".")[0] for line in said if "note" not in line] == []


def test_a_variable_that_is_missing_is_a_warning_once_and_a_wrong_one_an_error(tmp_path: Path) -> None:
    _, said = load(tmp_path, "docker-compose.yml", "app:\n  image: $B-$B\n  user: $B\n  hostname: ${1}\n")
    hint = "Set it, or write it into the `.env` beside this file."
    assert said == [
        f"docker-compose.yml:2:3: warning: the variable B is not set, and stands for nothing. {hint}",
        "docker-compose.yml:4:3: error: `${1}` names no variable. A `$` that is meant is written `$$`.",
    ]


def test_codeships_own_files_keep_their_dollars(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    services, said = load(tmp_path, "codeship-services.yml", "app: {image: $A, command: 'sh $$'}", A="2")
    assert (services["app"].image, services["app"].command, said) == ("$A", ("sh", "$$"), [])


def test_a_file_of_variables_as_compose_reads_it() -> None:
    text = "\ufeffA=1\nexport B = two # no\nC='x # y'\nD=\"z\" # no\n#E=1\nnothing\n1F=2\nG=\nH=a#b\r\n"
    assert env_values(text) == {"A": "1", "B": "two", "C": "x # y", "D": "z", "G": "", "H": "a#b"}


def test_anchors_are_filled_in_once(tmp_path: Path) -> None:
    doubled = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    _, said = load(tmp_path, "docker-compose.yml", f"a0: &a0 [$A, $B]\n{doubled}", A="1")
    assert len([line for line in said if "the variable B is not set" in line]) == 1
