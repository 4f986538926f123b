# SPDX-License-Identifier: MIT
"""Mustache's own rules, each as mustache.js 2.2.1 renders it (that version was asked for every line here)."""

from typing import Any

import pytest

from kit_deploymentizer.rendering.mustache import Mustache

VIEW: dict[str, Any] = {
    "t": True, "f": False, "n": None, "z": 0, "one": 1, "fl": 1.5, "es": "", "s": "text", "a": "outer",
    "l": [1, 2], "el": [], "ll": [[1, 2], [3]], "mixed": [0, "", None, False, [], {}],
    "m": {"a": 1, "b": {"c": 2}}, "em": {},
    "maps": [{"n": 1, "in": [1, 2]}, {"n": 2, "in": []}],
    "deep": {"l": [{"a": "in"}, {}]},
    "app-con": {"name": "x", "env": [{"name": "A", "value": "1"}, {"name": "B"}]},
    "dotted.name": "flat",
    "html": "<&\"'/`=>",
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "text"),
    [
        # lists
        ("{{#l}}{{.}}-{{/l}}", "1-2-"),
        ("{{#maps}}{{n}}:{{#in}}{{.}}{{n}},{{/in}};{{/maps}}", "1:11,21,;2:;"),
        ("{{#ll}}[{{.}}]{{#.}}{{.}};{{/.}}{{/ll}}", "[1,2]1;2;[3]3;"),
        # maps
        ("{{#m}}{{a}}{{b.c}}{{s}}{{/m}}", "12text"),
        ("{{#m.b}}{{c}}{{/m.b}}", "2"),
        ("{{^m.b.x}}none{{/m.b.x}}", "none"),
        ("{{#m.x.y}}no{{/m.x.y}}", ""),
        ("{{^m.x.y}}yes{{/m.x.y}}", "yes"),
        # what counts as true, and what a section sees of it
        ("{{#em}}in{{/em}}{{^em}}out{{/em}}", "in"),
        ("{{#s}}{{.}}{{length}}{{/s}}", "text"),
        ("{{#one}}{{.}}{{a}}{{/one}}", "1outer"),
        ("{{#fl}}{{.}}{{/fl}}", "1.5"),
        ("{{#t}}{{.}}{{/t}}", "[object Object]"),
        ("{{#missing}}x{{/missing}}{{^missing}}y{{/missing}}", "y"),
        ("{{#n}}x{{/n}}{{^n}}y{{/n}}", "y"),
        ("{{#z}}x{{/z}}{{^z}}y{{/z}}", "y"),
        ("{{#es}}x{{/es}}{{^es}}y{{/es}}", "y"),
        ("{{#f}}x{{/f}}{{^f}}y{{/f}}", "y"),
        ("{{#el}}x{{/el}}{{^el}}y{{/el}}", "y"),
        ("{{#mixed}}({{.}}){{/mixed}}", "(0)()()(false)()([object Object])"),
        # names of outer views
        ("{{#maps}}{{a}}{{/maps}}", "outerouter"),
        ("{{#deep.l}}{{a}},{{/deep.l}}", "in,outer,"),
        # how values print
        ("{{m}}|{{em}}|{{l}}|{{ll}}|{{el}}", "[object Object]|[object Object]|1,2|1,2,3|"),
        ("{{n}}|{{f}}|{{t}}|{{z}}|{{fl}}|{{es}}", "|false|true|0|1.5|"),
        # names with dashes and dots
        ("{{app-con.name}} {{#app-con.env}}{{name}}={{value}};{{/app-con.env}}", "x A=1;B=;"),
        ("{{dotted.name}}", ""),
        # escaping
        ("{{html}}|{{{html}}}|{{&html}}|{{& html }}|{{{ html }}}",
         '&lt;&amp;&quot;&#39;&#x2F;&#x60;&#x3D;&gt;|<&"\'/`=>|<&"\'/`=>|<&"\'/`=>|<&"\'/`=>'),
        # comments
        ("{{! one }}a{{!two\nlines}}b{{!}}c", "abc"),
        ("{{! {{s}} }}", " }}"),
        ("a{{!x}}\n{{!y}}\nb\n", "a\nb\n"),
        ("  {{! indented }}\nx", "x"),
        ("x {{! y }} z\n", "x  z\n"),
        # partials print nothing: the original handed none over
        ("{{> p}}|{{>p}}", "|"),
        ("a\n{{> p}}\nb", "a\nb"),
        ("a\n  {{>p}}  \nb", "a\nb"),
        # delimiters
        ("{{=<% %>=}}<% s %>|<%# l %><%.%><%/ l %>|{{s}}", "text|12|{{s}}"),
        ("{{=| |=}}|s| |&html|\n|={{ }}=|{{s}}", 'text <&"\'/`=>\ntext'),
        ("{{= << >> =}}\n<<s>>\n<<={{ }}=>>\n{{s}}\n", "text\ntext\n"),
        ("{{#l}}{{=<% %>=}}<%.%><%={{ }}=%>{{/l}}{{s}}", "12text"),
        # lines that hold only tags
        ("{{#t}}\n  x\n{{/t}}\n", "  x\n"),
        ("a\n  {{#t}}  \nb\n  {{/t}}  \nc", "a\nb\nc"),
        ("{{#t}}\r\nx\r\n{{/t}}\r\ny", "x\r\ny"),
        ("{{#t}}x\n{{/t}}y\n", "x\ny\n"),
        ("x{{#t}}\ny\n{{/t}}\n", "x\ny\n"),
        ("\n{{#t}}\n{{/t}}\n\n", "\n\n"),
        ("{{#t}}{{#l}}\n{{.}}\n{{/l}}{{/t}}\n", "1\n2\n"),
        ("{{#l}}\n- {{.}}\n{{/l}}\n", "- 1\n- 2\n"),
        ("  {{#l}}\n  - {{.}}\n  {{/l}}\nend\n", "  - 1\n  - 2\nend\n"),
        ("{{#f}}\nx\n{{/f}}\n{{^f}}\ny\n{{/f}}\n", "y\n"),
        ("\t{{#t}}\t\nx\n\t{{/t}}\t\n", "x\n"),
        ("{{#t}} {{/t}}\n", ""),
        ("{{#t}} x {{/t}}\n", " x \n"),
        ("{{^f}}{{#l}}{{#m}}{{a}}{{/m}}{{/l}}{{/f}}", "11"),
        # the rest
        ("{{  s  }}|{{ # t }}x{{ / t }}|{{\ns\n}}", "text|x|text"),
        ("{{#l}}{{#t}}{{.}}{{/t}}{{/l}}", "12"),
        ("{{#maps}}{{#in}}{{/in}}{{/maps}}x", "x"),
        ("{{s.length}} {{l.length}} {{l.0}} {{l.5}} {{maps.1.n}} {{s.0}} {{ll.0.1}}", "4 2 1  2 t 2"),
        ("{{m.a.b}} {{s.x.y}} {{n.x}} {{t.x}}", "   "),
        ("{{.}}", "[object Object]"),
        ("{{#m}}{{.}}{{/m}}", "[object Object]"),
        ("{{#l}}{{l}}{{/l}}", "1,21,2"),
        ("{{..}}", ""),
        ("{{a.}}|{{.a}}", "|"),
        ("{{}}", ""),
        ("{{#m}}{{m.a}}{{/m}}", "1"),
        ("{{{s}}} }", "text }"),
        ("{ {{s}} }", "{ text }"),
        ("{{s}}}", "text}"),
        ("{{{{s}}}}", "}"),
        ("é {{s}} \u2028 {{s}}", "é text \u2028 text"),
        ("{{#t}}{{#t}}{{#t}}{{#t}}{{#t}}x{{/t}}{{/t}}{{/t}}{{/t}}{{/t}}", "x"),
        ("$&$1{{s}}$$", "$&$1text$$"),
        ("{{#maps}}{{in.length}}{{/maps}}", "20"),
        ("{{^l}}a{{/l}}{{^t}}b{{/t}}{{^m}}c{{/m}}{{^s}}d{{/s}}{{^one}}e{{/one}}", ""),
        ("{{#mixed.5}}x{{/mixed.5}}{{#mixed.0}}y{{/mixed.0}}", "x"),
        ("a: {{#f}}x{{/f}}\nb\n", "a: \nb\n"),
        ("  {{#f}}x{{/f}}\nb\n", "  \nb\n"),
        ("{{#t}}\n\n{{/t}}\n", "\n"),
        ("{{#l}} {{/l}}\n", ""),
        ("\ufeff{{s}}", "\ufefftext"),
        ("{{#s}}{{a}}{{/s}}", "outer"),
    ],
)  # fmt: skip
def test_a_template_renders_as_it_did(source: str, text: str) -> None:
    assert Mustache(source).render(VIEW)[0] == text


def test_long_lines_and_many_tags_are_no_matter() -> None:
    long = "x" * 1_000_000
    assert Mustache(f"{long}{{{{s}}}}{long}").render(VIEW)[0] == f"{long}text{long}"
    assert Mustache("{{{v}}}").render({"v": long})[0] == long
    assert Mustache("{{s}}\n" * 20_000).render(VIEW)[0] == "text\n" * 20_000
