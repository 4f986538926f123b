# SPDX-License-Identifier: MIT
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.render import Event, JsonRenderer, TextRenderer, commandless, harmless


def text(event: Event, **options: Any) -> list[str]:
    return list(TextRenderer(**options).lines(event))


@pytest.mark.parametrize(
    "evil",
    [
        "::set-output name=x::y",
        "  ::error::boo",
        "##[error]boo",
        "noise ##vso[task.setvariable variable=x]y",
        "##VSO[task.complete result=Failed;]",
        "\x1b[2J\x1b[1;1H",
        "\x1b]0;title\x07",
        "a\rb",
        "\x1b[0Ksection_start:1:x\r\x1b[0K",
        "\x9b31m",
        "\u202egnp.exe",
    ],
)
def test_text_that_is_not_ours_cannot_command_a_terminal_or_a_ci(evil: str) -> None:
    for line in text(Event(level="foreign", text=f"ok\n{evil}")) + text(Event(level="info", text=evil)):
        assert not re.match(r"\s*::", line)
        assert "##[" not in line
        assert "##vso[" not in line.lower()
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", line)


@given(st.text())
def test_harmless_text_is_one_printable_line(anything: str) -> None:
    shown = harmless(anything)
    assert len(shown.splitlines()) <= 1
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown


def test_ordinary_text_stays_as_it_is() -> None:
    line = "Zürich: 100 % of shop/web:1.2 in {a: [1]} #3 ✓"
    assert harmless(line) == line


def test_lines_carry_their_cluster() -> None:
    assert text(Event(level="warning", text="slow", cluster="eu-1")) == ["[eu-1] warning: slow"]


def test_github_marks_the_place() -> None:
    event = Event(level="error", text="bad: 100%\nreally", file="a,b.yaml", line=3, column=7)
    assert text(event, dialect="github") == ["::error file=a%2Cb.yaml,line=3,col=7::bad: 100%25%0Areally"]


def test_azure_marks_the_place() -> None:
    event = Event(level="warning", text="odd]", file="a.yaml", line=3)
    assert text(event, dialect="azure") == ["##vso[task.logissue type=warning;sourcepath=a.yaml;linenumber=3;]odd%5D"]


@pytest.mark.parametrize(
    ("dialect", "opened", "closed"),
    [
        ("github", r"::group::Render", r"::endgroup::"),
        (
            "gitlab",
            r"\x1b\[0Ksection_start:\d+:(?P<name>kit_\w+_1)\[collapsed=false\]\r\x1b\[0KRender",
            r"\x1b\[0Ksection_end:\d+:kit_\w+_1\r\x1b\[0K",
        ),
        ("azure", r"##\[group\]Render", r"##\[endgroup\]"),
        ("plain", r"== Render", None),
    ],
)  # fmt: skip
def test_groups_fold_where_the_ci_can(dialect: Any, opened: str, closed: str | None) -> None:
    renderer = TextRenderer(dialect=dialect)
    first = list(renderer.lines(Event(level="group", text="Render")))
    last = list(renderer.lines(Event(level="endgroup", text="")))
    assert re.fullmatch(opened, first[0])
    assert (re.fullmatch(closed, last[0]) if closed else last == []) is not None


def test_the_result_is_one_line_of_facts() -> None:
    event = Event(level="result", text="unchanged", fields={"image": "a b", "count": 0})
    assert text(event) == ['result=unchanged image="a b" count=0']


def test_colour_is_only_for_terminals() -> None:
    event = Event(level="error", text="no")
    assert "\x1b" not in text(event)[0]
    assert "\x1b[31m" in text(event, colour=True)[0]


@given(st.text(), st.text() | st.none(), st.dictionaries(st.text(), st.integers()))
def test_json_is_one_object_a_line_with_stable_keys(message: str, cluster: str | None, fields: dict[str, int]) -> None:
    lines = list(JsonRenderer().lines(Event(level="info", text=message, cluster=cluster, fields=fields)))
    assert len(lines) == 1
    assert "\n" not in lines[0]
    entry = json.loads(lines[0])
    assert entry["message"] == message
    assert entry["level"] == "info"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])
    assert entry.get("cluster") == (fields.get("cluster") if cluster is None and "cluster" in fields else cluster)


def test_json_tells_the_result() -> None:
    entry = json.loads(next(iter(JsonRenderer().lines(Event(level="result", text="unchanged")))))
    assert (entry["level"], entry["result"]) == ("result", "unchanged")


def test_text_of_several_lines_is_kept_but_for_commands() -> None:
    text = "a\tb \x1b\n  ::set-env x\n- ##vso[a]b\n##[group]c\nkey: a::b # c\n"
    kept = "a\tb \x1b\n  : :set-env x\n- # #vso[a]b\n# #[group]c\nkey: a::b # c\n"
    assert commandless(text) == kept
