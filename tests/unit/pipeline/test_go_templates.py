# SPDX-License-Identifier: MIT
"""Go's text templates: what they print, and what is said of those that are wrong."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_pipeline.template import TemplateError, Value, fields_of, fill

VALUES: dict[str, Value] = {
    "Branch": "feature/x",
    "CommitID": "4f2a91c0d1e2ffff",
    "Ci": True,
    "Timestamp": 1700000000,
    "Empty": "",
}


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("plain } text {", "plain } text {"),
        ("{{.Branch}}-{{ .Ci }}", "feature/x-true"),
        ("a  {{- .Branch -}}\n b", "afeature/xb"),
        ("{{/* nothing\n of it */}}x {{- /* nor this */ -}} y", "xy"),
        ('{{if eq .Branch "master"}}latest{{else if .Ci}}ci{{else}}none{{end}}', "ci"),
        ('{{if and .Ci (ne .Branch "master")}}other{{end}}', "other"),
        ("{{if .Empty}}x{{else}}{{with .Branch}}[{{.}}]{{end}}{{end}}", "[feature/x]"),
        ("{{with .Empty}}x{{else}}{{.Branch}}{{end}}", "feature/x"),
        ('{{printf "%.8s" .CommitID}}', "4f2a91c0"),
        ('{{.CommitID | printf "%.3s" | printf "%s-%s" "a"}}', "a-4f2"),
        ("{{slice .CommitID 0 7}} {{len .Branch}} {{index .Branch 0}}", "4f2a91c 9 102"),
        ("{{$b := .Branch}}{{if true}}{{$b = `y`}}{{$c := 1}}{{end}}{{$b}}", "y"),
        ('{{with 1}}{{$.Branch}}{{end}}{{"\\u00e9\\n"}}', "feature/xé\n"),
        ('{{print 1 2 "a" 3 4}}|{{println "a" 1}}', "1 2a3 4|a 1\n"),
        (
            '{{printf "%q %x %5s|%-5s|%t|%05d|%*d" "feature/x" "a" "b" "c" .Ci 42 4 7}}',
            '"feature/x" 61     b|c    |true|00042|   7',
        ),
        ('{{printf "%d" "x"}} {{printf "%s"}} {{printf "a" 1}}', "%!d(string=x) %!s(MISSING) a%!(EXTRA int=1)"),
        ("{{or .Empty .Branch}} {{not .Ci}} {{eq 1 2 3 1}} {{lt 1 2}}", "feature/x false true true"),
        ('{{urlquery "a b/c"}} {{html "<a>"}} {{js "it\'s"}}', "a+b%2Fc &lt;a&gt; it\\'s"),
        ("{{0x10}} {{010}} {{1.50}} {{'a'}} {{true}}", "16 8 1.5 97 true"),
    ],
)
def test_what_go_prints(text: str, printed: str) -> None:
    assert fill(text, VALUES, name="image_tag") == printed


RECORDED = json.loads((Path(__file__).parent / "go-templates.json").read_text("utf-8"))


def answer(text: str) -> str | None:
    """What we print; None where we refuse."""
    with contextlib.suppress(TemplateError):
        return fill(text, RECORDED["values"], name="t")
    return None


def test_they_print_what_go_itself_printed_and_refuse_what_it_refused() -> None:
    """Recorded from Go (`go-templates.go`): verbs, flags, comparisons, kinds of constants, and what is malformed."""
    assert len(RECORDED["cases"]) > 500
    assert [[text, answer(text)] for text, _ in RECORDED["cases"]] == RECORDED["cases"]


@pytest.mark.parametrize(
    "text",
    [
        '{{index . "Nope"}}',
        "{{.Nope}}",
        '{{printf "%x" 1.5}}',
        "{{0x1p4}}",
        "{{1i}}",
        "{{range 3}}x{{end}}",
        "{{print |}}",
    ],
)
def test_what_go_would_print_and_nobody_means_is_refused(text: str) -> None:
    """Go prints `<no value>` for a name that is not in a map: nobody wants an image with such a tag."""
    assert answer(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{.Brnch}}", "there is no value .Brnch. Did you mean .Branch?"),
        ("{{.Branch.Name}}", "'feature/x' has no value .Name"),
        ("{{.Branch", "`{{` at character 1 is not closed. Add `}}`."),
        ("{{if .Ci}}x", "`{{if}}` has no `{{end}}`"),
        ("{{end}}", "`{{end}}` ends nothing"),
        ("{{}}", "there is nothing in it"),
        ('{{ .A == "x"}}', "'=' stands where a value is wanted"),
        ("{{upper .Branch}}", "there is no function upper"),
        ("{{range .Branch}}x{{end}}", "`range` is not supported"),
        ("{{$x}}", "there is no variable $x"),
        ('{{if eq .Ci "true"}}x{{end}}', "are of different kinds and do not compare"),
        ("{{slice .Branch 3 99}}", "'feature/x' has no characters 3 to 99"),
        ("{{len .Ci}}", "len takes text"),
        ("{{not}}", "it takes 1 values and was given 0"),
        ("{{.Branch .Ci}}", "the first of several words is no function"),
        ("{{.Branch | .Ci}}", "what stands behind `|` is no function"),
        ("{{.}}", "Name a value, such as `{{.Branch}}`"),
        ('{{"a}}', "A quote is not closed"),
        ("{{if true}}{{else}}{{else}}{{end}}", "there are two `{{else}}`"),
    ],
)
def test_a_wrong_template_is_told_by_name_and_reason(text: str, said: str) -> None:
    with pytest.raises(TemplateError) as error:
        fill(text, VALUES, name="codeship-steps.yml:7")
    assert said in str(error.value)
    assert str(error.value).startswith("codeship-steps.yml:7: ")


@pytest.mark.parametrize("text", ["{{" + "(" * 5000 + "}}", "{{if .Ci}}" * 5000])
def test_what_is_nested_without_measure_is_refused(text: str) -> None:
    for take in (lambda: fill(text, VALUES, name="t"), lambda: fields_of(text, name="t")):
        with pytest.raises(TemplateError, match="nested too deeply"):
            take()


def test_the_values_that_a_template_asks_for_are_known_without_filling_it_in() -> None:
    text = '{{if .Ci}}{{printf "%s" (print .Branch)}}{{else}}{{with .CommitID}}{{$.RepoName}}{{end}}{{end}}'
    assert fields_of(text, name="t") == {"Ci", "Branch", "CommitID", "RepoName"}


PIECES = """
    {{ }} - . .Ci .Branch $ $a := = | ( ) ` ' " \\ nil if else end with and or not eq lt len index slice print
    printf "%5.2v" "a" html js 0 -1 1.5 08 true /* */ é
"""
WORDS = [*PIECES.split(), " ", "\n", "\x00"]


@given(st.lists(st.sampled_from(WORDS), max_size=20).map("".join) | st.text(max_size=40).map("{{{}".format))
def test_whatever_the_text_it_prints_or_is_refused(text: str) -> None:
    with contextlib.suppress(TemplateError):
        assert "{{" in text or fill(text, VALUES, name="t") == text
        fill(text, VALUES, name="t")


@given(st.text(max_size=60))
def test_a_value_goes_out_as_it_came_in(value: str) -> None:
    assert fill("<{{.Branch}}>", {"Branch": value}, name="t") == f"<{value}>"
