# SPDX-License-Identifier: MIT
"""From variables and options to settings: which name wins, what is unknown, what is told."""

import base64
from pathlib import Path

import pytest

from kit_core.names import known_to_any_step
from kit_core.settings import load_settings
from tests.unit.core.every_type import Shop, encoded, load, problem


def test_defaults_need_no_environment() -> None:
    assert load() == Shop()


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"BRANCH": "bare"}, "bare"),
        ({"BRANCH": "bare", "KIT_BRANCH": "ours"}, "ours"),
        ({"GITHUB_REF_NAME": "native"}, "native"),
        ({"GIT_BRANCH": "jenkins", "GITHUB_REF_NAME": "native"}, "native"),
        ({"GITHUB_REF_NAME": "native", "BRANCH": "bare"}, "bare"),
        ({"KIT_BRANCH": "", "BRANCH": "bare"}, "bare"),
        ({"BRANCH": ""}, None),
        ({"BRANCH_BASE64": base64.b64encode(b"two\nlines").decode()}, "two\nlines"),
    ],
)
def test_a_setting_of_the_original_is_read_from_its_names_in_order(env: dict[str, str], expected: str | None) -> None:
    assert load(env).branch == expected


SPELLINGS = ["KIT_TOKEN", "TOKEN", "KIT_ACCESS_TOKEN", "ACCESS_TOKEN"]


@pytest.mark.parametrize("names", [SPELLINGS[place:] for place in range(len(SPELLINGS))])
@pytest.mark.parametrize("suffix", ["", "_FILE", "_BASE64"])
def test_a_secret_s_strongest_name_wins_however_it_is_spelled(tmp_path: Path, names: list[str], suffix: str) -> None:
    def given_as(name: str, suffix: str) -> dict[str, str]:
        if suffix == "_FILE":
            (tmp_path / name).write_text(f"{name}\n")
        value = {"": name, "_FILE": str(tmp_path / name), "_BASE64": encoded(f"{name}\n")}[suffix]
        return {name + suffix: value}

    env = {"GITHUB_TOKEN": "native", **given_as(names[0], suffix)}
    for name, other in zip(names[1:], ["_BASE64", "", "_FILE"], strict=False):
        env |= given_as(name, other)
    assert load(env).token.reveal() == names[0]
    assert load_settings(Shop, env, {}).given["token"] == names[0] + suffix


def test_the_ci_s_own_secret_is_the_last_resort() -> None:
    empty = {"TOKEN": "", "TOKEN_FILE": "", "KIT_TOKEN_BASE64": "", "GITHUB_TOKEN": "native"}
    assert load(empty).token.reveal() == "native"
    assert load({**empty, "GITHUB_TOKEN": ""}).token is None


@pytest.mark.parametrize("names", [("TOKEN", "TOKEN_BASE64"), ("TOKEN_FILE", "TOKEN_BASE64"), ("TOKEN", "TOKEN_FILE")])
def test_one_name_spelled_twice_is_an_error(names: tuple[str, str]) -> None:
    assert f"{names[0]} and {names[1]} are both set" in problem(dict.fromkeys(names, "x"))


def test_an_empty_option_counts_as_none() -> None:
    assert load({"KIT_BRANCH": "variable"}, branch="").branch == "variable"


def test_an_option_wins_over_every_variable() -> None:
    assert load({"KIT_BRANCH": "variable"}, branch="option").branch == "option"


def test_a_setting_of_ours_ignores_its_bare_name() -> None:
    assert load({"GIT_URL": "https://jenkins.example/own.git"}).git_url is None
    assert load({"KIT_GIT_URL": "https://git.example/x.git"}).git_url == "https://git.example/x.git"


def test_an_alias_is_read_with_and_without_prefix() -> None:
    assert load({"CONFIGS_PATTERN": "/a"}).configs == "/a"
    assert load({"KIT_CONFIGS_PATTERN": "/b", "CONFIGS_PATTERN": "/a"}).configs == "/b"
    assert load({"CONFIGS": "/main", "KIT_CONFIGS_PATTERN": "/b"}).configs == "/main"


def test_all_problems_are_told_at_once() -> None:
    message = problem({"COMMIT": "maybe", "KIT_RETRIES": "ten", "KIT_GIT_URLL": "x"})
    assert "COMMIT=" in message
    assert "KIT_RETRIES=" in message
    assert "KIT_GIT_URLL is no setting; KIT_GIT_URL is probably meant" in message


@pytest.mark.parametrize(
    "name", ["KIT_GITURL", "KIT_GIT_URLS", "KIT_GTI_URL", "KIT_COMIT", "KIT_STRATEGY_", "KIT_GIT_PASWORD_FILE"]
)
def test_a_typing_error_is_an_error(name: str) -> None:
    assert f"{name} is no setting" in problem({name: "x"})


@pytest.mark.parametrize("name", ["KIT_TIMEZONE", "KIT_LOG", "KIT_TOEN_X", "KIT_BIULDS"])
def test_a_word_that_is_merely_alike_is_none(name: str) -> None:
    assert f"{name} is no setting of this step" in load_settings(Shop, {name: "x"}, {}).warnings[0]


def test_what_another_step_reads_is_neither_wrong_nor_worth_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    others = frozenset({"KIT_GIT_URLS", "KIT_FLUX_CAPACITOR", "KIT_BRANCH", "KIT_GIT_URL"})
    monkeypatch.setattr("kit_core.names.known_to_any_step", lambda: others)
    env = dict.fromkeys(["KIT_GIT_URLS", "KIT_FLUX_CAPACITOR", "KIT_FLUX_CAPACITOR_FILE", "KIT_GIT_URLS_BASE64"], "x")
    assert load_settings(Shop, env, {}).warnings == ()
    assert "KIT_BRANCH_FILE is no setting; KIT_BRANCH is" in problem({"KIT_BRANCH_FILE": "/x"}), "it is ours as well"


def test_the_suite_s_variables_are_listed() -> None:
    names = known_to_any_step()
    assert {"KIT_DRY_RUN", "KIT_GIT_URL", "KIT_LOG_FORMAT"} <= names
    assert all(name == name.strip() and name and "#" not in name for name in names)


def test_another_unknown_variable_is_a_warning() -> None:
    warnings = load_settings(Shop, {"KIT_FLUX_CAPACITOR": "1"}, {}).warnings
    assert len(warnings) == 1
    assert "KIT_FLUX_CAPACITOR" in warnings[0]


@pytest.mark.parametrize(
    "name",
    [
        "KIT_SERVICE_HOST",
        "KIT_DEMO_SERVICE_PORT_HTTP",
        "KIT_WEB_PORT",
        "KIT_WEB_PORT_80_TCP_ADDR",
        "KIT_DEPLOYER_NAME",
        "KIT_DEPLOYER_ENV_GIT_URL",
        "HOME",
        "KITTEN",
    ],
)
def test_what_kubernetes_and_docker_links_set_is_none_of_our_business(name: str) -> None:
    assert load_settings(Shop, {name: "x"}, {}).warnings == ()


def test_an_ignored_setting_is_accepted_with_a_note() -> None:
    warnings = load_settings(Shop, {"ELROY_URL": "https://old.example"}, {}).warnings
    assert warnings == ("ELROY_URL is accepted for compatibility and has no effect",)


def test_given_tells_which_name_a_value_came_from() -> None:
    given_names = load_settings(Shop, {"GITHUB_REF_NAME": "main", "KIT_COMMIT": "1"}, {}).given
    assert given_names == {"branch": "GITHUB_REF_NAME", "commit": "KIT_COMMIT"}
