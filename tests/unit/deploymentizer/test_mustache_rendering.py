# SPDX-License-Identifier: MIT
"""Mustache as mustache.js 2.2 renders it."""

from typing import Any

import pytest

from kit_deploymentizer.rendering.mustache import Mustache
from kit_deploymentizer.rendering.mustache_scan import MustacheError


def render(source: str, view: dict[str, Any]) -> str:
    return Mustache(source).render(view)[0]


@pytest.mark.parametrize(
    ("source", "view", "text"),
    [
        ("{{a}} {{{a}}} {{&a}}", {"a": "<&\"'/`=>"}, "&lt;&amp;&quot;&#39;&#x2F;&#x60;&#x3D;&gt; <&\"'/`=> <&\"'/`=>"),
        ("[{{a}}{{b}}{{c.d}}]", {"a": None}, "[]"),
        ("{{a.b.c}}", {"a": {"b": {"c": 1.0}}}, "1"),
        ("{{ a }}|{{{ a }}}", {"a": 1}, "1|1"),
        ("{{#a}}x{{/a}}{{^a}}y{{/a}}", {"a": []}, "y"),
        ("{{#a}}x{{/a}}{{^a}}y{{/a}}", {"a": {}}, "x"),
        ("{{#a}}x{{/a}}{{^a}}y{{/a}}", {"a": 0}, "y"),
        ("{{#a}}x{{/a}}{{^a}}y{{/a}}", {"a": ""}, "y"),
        ("{{#a}}x{{/a}}{{^a}}y{{/a}}", {"a": "0"}, "x"),
        ("{{#a}}x{{/a}}{{^a}}y{{/a}}", {"a": float("nan")}, "y"),
        ("{{#a}}{{.}},{{/a}}", {"a": [1, "b", True, None]}, "1,b,true,,"),
        ("{{#a}}{{.}}{{/a}}", {"a": "text"}, "text"),
        ("{{#a}}{{n}}{{x}}{{/a}}", {"a": [{"n": 1}, {"n": 2}], "x": "-"}, "1-2-"),
        ("{{#a}}{{b}}{{/a}}", {"a": {"b": None}, "b": "outer"}, ""),
        ("{{#a}}{{b.c}}{{/a}}", {"a": {"b": {}}, "b": {"c": "outer"}}, "outer"),
        ("{{#a}}{{b}}{{/a}}", {"a": True, "b": "same"}, "same"),
        ("{{a.length}} {{a.1}} {{s.length}} {{s.0}}", {"a": [7, 8], "s": "xy"}, "2 8 2 x"),
        ("{{a}}", {"a": [1, [2, 3], {}]}, "1,2,3,[object Object]"),
        ("{{! a comment }}x{{>partial}}", {"partial": "never"}, "x"),
        ("{{{! people mean a comment }}}x", {}, "x"),
        ("{{=<% %>=}}<% a %>{{a}}<%={{ }}=%>{{a}}", {"a": 1}, "1{{a}}1"),
        ("", {}, ""),
    ],
)
def test_tags(source: str, view: dict[str, Any], text: str) -> None:
    assert render(source, view) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a\n{{#t}}\nb\n{{/t}}\nc\n", "a\nb\nc\n"),
        ("  {{! gone }}  \nb\n", "b\n"),
        ("  {{#t}} {{/t}}  \nb", "b"),
        ("x: {{#t}}y{{/t}}\n", "x: y\n"),
        ("  {{v}}\n", "  1\n"),
        ("  {{missing}}\n", "  \n"),
        ("a\r\n{{#t}}\r\nb\r\n{{/t}}\r\n", "a\r\nb\r\n"),
        # The last line, without a line end, keeps its blanks: so had it the version the original used.
        ("{{#t}}\nb\n  {{/t}}", "b\n  "),
        ("  {{>p}}\nb", "b"),
    ],
)
def test_lines_that_hold_only_tags_which_print_nothing_vanish(source: str, text: str) -> None:
    assert render(source, {"t": True, "v": 1}) == text


@pytest.mark.parametrize(
    ("source", "message", "line", "column"),
    [
        ("a\n {{#b}}\n", "section 'b' is not closed", 2, 2),
        ("a\n{{/b}}", "'b' is closed here and was not opened", 2, 1),
        ("{{#a}}\n{{#b}}\n{{/a}}", "section 'b' must be closed before 'a' is", 3, 1),
        ("a\nb {{c", "a tag begins here and does not end", 2, 3),
        ("{{{c}}", "a tag begins here and does not end", 1, 1),
        ("\n" + "{{#a}}" * 201, "more than 200 sections lie in one another", 2, 1201),
        ("{{=<%=}}", "new delimiters are written `{{=<% %>=}}`", 1, 1),
    ],
)
def test_a_template_that_cannot_be_parsed_says_where(source: str, message: str, line: int, column: int) -> None:
    with pytest.raises(MustacheError) as caught:
        Mustache(source)
    assert (str(caught.value), caught.value.line, caught.value.column) == (message, line, column)


def test_names_that_nothing_sets_are_told_with_their_line() -> None:
    source = "{{a}}\n{{b.c}}{{d}}\n{{#e}}{{f}}{{/e}}{{#g}}{{h}}{{/g}}\n{{{! comment }}}{{null}}"
    _, unset = Mustache(source).render({"a": 1, "b": {}, "e": True, "null": None})
    assert [(one.name, one.line) for one in unset] == [("b.c", 2), ("d", 2), ("f", 3)]


def test_a_name_that_the_template_itself_asks_for_may_be_missing() -> None:
    _, unset = Mustache("{{svc.ports}}{{^svc.ports}}default{{/svc.ports}}").render({})
    assert unset == []
