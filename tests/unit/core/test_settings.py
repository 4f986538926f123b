# SPDX-License-Identifier: MIT
import base64
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_core.names import known_to_any_step
from kit_core.secrets import Secret
from kit_core.settings import CommonSettings, load_settings, secret_texts, setting


@dataclass(frozen=True, kw_only=True)
class Shop(CommonSettings):
    """One setting of every type."""

    commit: bool = setting(False, original=True, group="Shop", help="Push it.")
    branch: str | None = setting(
        None, original=True, native=("GITHUB_REF_NAME", "GIT_BRANCH"), group="Shop", help="Branch."
    )
    configs: str = setting("/configs", original=True, aliases=("CONFIGS_PATTERN",), group="Shop", help="Glob.")
    git_url: str | None = setting(None, group="Shop", help="Remote.")
    git_password: Secret | None = setting(None, group="Shop", help="Password.")
    token: Secret | None = setting(
        None, original=True, aliases=("ACCESS_TOKEN",), native=("GITHUB_TOKEN",), group="Shop", help="Token."
    )
    retries: int = setting(10, minimum=0, maximum=100, group="Shop", help="Attempts.")
    build: int | None = setting(None, group="Shop", help="Number.")
    deadline: float = setting(300, unit="s", minimum=0, group="Shop", help="Limit.")
    images: tuple[str, ...] = setting((), group="Shop", help="Images.")
    ignored_errors: tuple[str, ...] = setting(("Unhealthy",), original=True, group="Shop", help="Errors.")
    strategy: Literal["rolling-update", "fast-rollback"] = setting("rolling-update", group="Shop", help="Strategy.")
    report_dir: Path | None = setting(None, group="Shop", help="Folder.")
    elroy_url: str | None = setting(None, original=True, ignored=True, group="Shop", help="Gone.")


def load(env: dict[str, str] | None = None, **options: str) -> Any:
    return load_settings(Shop, env or {}, options).settings


def problem(env: dict[str, str]) -> str:
    with pytest.raises(InputError) as raised:
        load(env)
    assert raised.value.exit_code == 2
    return str(raised.value)


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


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


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


@pytest.mark.parametrize("word", ["true", "1", "yes", "on"])
def test_every_spelling_of_yes_and_no(word: str) -> None:
    opposite = {"true": "false", "1": "0", "yes": "no", "on": "off"}[word]
    for spelled in (word, word.upper(), word.title(), f" {word} "):
        assert load({"COMMIT": spelled}).commit is True
    assert load({"KIT_COMMIT": opposite.upper(), "COMMIT": "true"}).commit is False


@given(st.text(min_size=1))
def test_a_boolean_is_a_known_word_or_an_error_that_names_the_variable(text: str) -> None:
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if text.strip().lower() in words:
        assert load({"COMMIT": text}).commit is words[text.strip().lower()]
    else:
        assert "COMMIT=" in problem({"COMMIT": text})


@pytest.mark.parametrize("text", ["maybe", "2", "tru"])
def test_a_wrong_boolean_names_variable_and_value(text: str) -> None:
    message = problem({"COMMIT": text})
    assert f"COMMIT='{text}'" in message
    assert "expected true or false" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b", ("a", "b")),
        ("a, b\n c ,", ("a", "b", "c")),
        ('["a,b", "c"]', ("a,b", "c")),
        ("[1, 2]", ("1", "2")),
        ("none", ()),
        ("NONE", ()),
    ],
)
def test_lists(text: str, expected: tuple[str, ...]) -> None:
    assert load({"KIT_IMAGES": text}).images == expected


def test_none_empties_a_list_that_has_a_default() -> None:
    assert load({"IGNORED_ERRORS": "none"}).ignored_errors == ()
    assert load({"IGNORED_ERRORS": ""}).ignored_errors == ("Unhealthy",)


@given(st.lists(st.text()))
def test_any_list_can_be_given_as_json(items: list[str]) -> None:
    assert load({"KIT_IMAGES": json.dumps(items)}).images == tuple(items)


@pytest.mark.parametrize("digits", [10, 400, 5000])
def test_a_number_of_any_length_is_read_or_refused(digits: int) -> None:
    assert load({"KIT_BUILD": "9" * 12}).build == 999_999_999_999
    assert "KIT_BUILD=" in problem({"KIT_BUILD": "9" * 10 * digits})
    assert "1000000000 or less" in problem({"KIT_DEADLINE": "9" * min(digits, 400)})


@pytest.mark.parametrize("text", ['["a"', '[{"a": 1}]', "[true]", "[" * 100_000, "[" + "9" * 5000 + "]"])
def test_a_broken_json_array_is_an_error(text: str) -> None:
    assert "KIT_IMAGES" in problem({"KIT_IMAGES": text})


@pytest.mark.parametrize("text", ["ten", "-1", "101", "1.5", "1e1", "٣x"])
def test_a_number_outside_its_bounds_is_an_error(text: str) -> None:
    assert "expected a whole number, 0 or more, 100 or less" in problem({"KIT_RETRIES": text})


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_are_finite_and_within_bounds(number: float) -> None:
    if math.isfinite(number) and 0 <= number <= 10**9:
        assert load({"KIT_DEADLINE": repr(number)}).deadline == number
    else:
        assert "a number in s, 0 or more" in problem({"KIT_DEADLINE": repr(number)})


def test_a_choice_is_read_in_any_case_and_listed_when_wrong() -> None:
    assert load({"KIT_STRATEGY": "Fast-Rollback"}).strategy == "fast-rollback"
    assert "expected one of rolling-update, fast-rollback" in problem({"KIT_STRATEGY": "blue-green"})


@pytest.mark.parametrize(
    ("content", "expected"),
    [("hunter2\n", "hunter2"), ("hunter2", "hunter2"), ("a\nb\n", "a\nb\n"), ("windows\r\n", "windows")],
)
def test_a_secret_may_lie_in_a_file(tmp_path: Path, content: str, expected: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content.encode())
    assert load({"KIT_GIT_PASSWORD_FILE": str(file)}).git_password.reveal() == expected
    assert load({}, git_password=str(file)).git_password.reveal() == expected


def test_a_secret_from_a_pipe_is_still_there_when_the_settings_are_read() -> None:
    reading, writing = os.pipe()  # what a shell makes of KIT_GIT_PASSWORD_FILE=<(pass show git)
    os.write(writing, b"hunter2hunter2\n")
    os.close(writing)
    try:
        env = {"KIT_GIT_PASSWORD_FILE": f"/dev/fd/{reading}"}
        assert list(secret_texts(Shop, env)) == []
        assert load(env).git_password.reveal() == "hunter2hunter2"
    finally:
        os.close(reading)


def test_two_spellings_of_one_variable_are_an_error(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    message = problem({"KIT_GIT_PASSWORD": "hunter2hunter2", "KIT_GIT_PASSWORD_FILE": str(file)})
    assert "KIT_GIT_PASSWORD and KIT_GIT_PASSWORD_FILE are both set" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("make", ["missing", "empty", "binary", "folder"])
def test_a_secret_file_that_cannot_serve_is_named(tmp_path: Path, make: str) -> None:
    path = tmp_path / make
    if make == "empty":
        path.write_text("\n")
    elif make == "binary":
        path.write_bytes(b"\xff\xfe")
    elif make == "folder":
        path.mkdir()
    assert f"KIT_GIT_PASSWORD_FILE={path}" in problem({"KIT_GIT_PASSWORD_FILE": str(path)})


@pytest.mark.parametrize("text", ["not base64!", "aGVs*bG8=", "zü", base64.b64encode(b"\xff").decode()])
def test_base64_that_is_none_is_an_error(text: str) -> None:
    assert "BRANCH_BASE64: expected base64" in problem({"BRANCH_BASE64": text})


def test_base64_of_one_line_is_taken_without_the_newline_that_echo_adds() -> None:
    assert load({"KIT_GIT_PASSWORD_BASE64": encoded("pässword\n")}).git_password.reveal() == "pässword"
    key = "-----BEGIN KEY-----\n" + "x" * 100 + "\n-----END KEY-----\n"
    assert load({"KIT_GIT_PASSWORD_BASE64": base64.encodebytes(key.encode()).decode()}).git_password.reveal() == key
    assert load({"KIT_RETRIES_BASE64": encoded("7\n")}).retries == 7


CANARY = "s3cr3t-canary-" + "x" * 80


@pytest.mark.parametrize("name", ["KIT_GIT_PASSWORD", "KIT_GIT_PASSWORD_BASE64"])
@pytest.mark.parametrize(
    "place", ["COMMIT", "KIT_RETRIES", "KIT_STRATEGY", "KIT_IMAGES", "KIT_GIT_URLL", "KIT_UNKNOWN"]
)
def test_a_secret_that_also_stands_elsewhere_is_quoted_by_no_error(name: str, place: str) -> None:
    value = base64.b64encode(CANARY.encode()).decode() if name.endswith("64") else CANARY
    message = problem({name: value, place: f"[{value}", "KIT_DEADLINE": CANARY})
    assert "KIT_DEADLINE='***'" in message
    assert CANARY[:14] not in message
    assert value[:14] not in message


def test_a_secret_in_place_of_its_file_s_path_is_not_shown() -> None:
    for message in (problem({"KIT_GIT_PASSWORD_FILE": CANARY}), problem({"KIT_GIT_PASSWORD_FILE": f"a\n{CANARY}"})):
        assert "KIT_GIT_PASSWORD_FILE: it must be the path of a file" in message
        assert CANARY[:14] not in message


def test_only_a_secret_may_lie_in_a_file() -> None:
    assert "KIT_BRANCH_FILE is no setting; KIT_BRANCH is probably meant" in problem({"KIT_BRANCH_FILE": "/x"})


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


def test_a_boolean_may_know_further_words() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Deploy(CommonSettings):
        """One setting."""

        dry_run: bool | Literal["read"] = setting(True, original=True, group="Deploy", help="Try.")

    def value(text: str) -> object:
        return load_settings(Deploy, {"DRY_RUN": text}, {}).settings.dry_run

    assert [value(text) for text in ("true", "No", "0", "READ", " on ", "")] == [True, False, False, "read", True, True]
    with pytest.raises(InputError, match=r"DRY_RUN.*maybe.*expected true, false or read \(also 1/0, yes/no, on/off"):
        value("maybe")
