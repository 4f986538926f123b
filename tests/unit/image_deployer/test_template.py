# SPDX-License-Identifier: MIT
"""KIT_COMMIT_MESSAGE_TEMPLATE: what it may use, what it may not, and that it always ends."""

import re

import pytest

from kit_core.errors import InputError
from kit_image_deployer.message.commit import Origin, Written, commit_message
from kit_image_deployer.message.template import VARIABLES, message_template

CART = Written(
    path="images/shop/cart/master.yaml", image="r/cart:2", previous="r/cart:1", repository="shop/cart", branch="master"
)
WEB = Written(
    path="images/shop/web/master.yaml", image="r/web:2", previous=None, repository="shop/web", branch="master"
)
ORIGIN = Origin(source_commit="abc", build="github 7", build_url="https://ci.example.com/7")


def message(text: str, *files: Written, said: str = "Add it\n\nFor all.") -> str:
    return commit_message(
        files or (CART,), said=said, origin=ORIGIN, author="Ada <ada@example.com>", render=message_template(text)
    )


def test_every_variable_has_its_value() -> None:
    text = "\n".join(f"{name}={{{{ {name} }}}}" for name in VARIABLES if name != "files")
    lines = message(text).split("\n\nKit-Image")[0].split("\n")
    assert lines == [
        "image=r/cart:2", "previous=r/cart:1", "path=images/shop/cart/master.yaml", "repository=shop/cart",
        "branch=master", "message=Add it", "", "For all.", "source_commit=abc", "build=github 7",
        "build_url=https://ci.example.com/7", "author=Ada <ada@example.com>",
    ]  # fmt: skip


def test_several_files_and_the_trailers_that_are_always_there() -> None:
    text = """\
Deploy {{ files|length }}

{% for file in files %}
- {{ file.repository }}: {{ file.image }}{% if not file.previous %} (new){% endif %}

{% endfor %}"""
    assert message(text, CART, WEB) == (
        "Deploy 2\n\n- shop/cart: r/cart:2\n- shop/web: r/web:2 (new)\n\n"
        "Kit-Image: r/cart:2\nKit-Previous-Image: r/cart:1\nKit-Image: r/web:2\n"
        "Kit-Source-Commit: abc\nKit-Build: github 7\nKit-Build-Url: https://ci.example.com/7\n"
    )


def test_what_a_template_makes_is_defused_as_well() -> None:
    assert message("[{{ 'skip' }} ci] @{{ repository }} #{{ 12 }}").startswith("(skip ci) @ shop/cart # 12\n")
    assert message("{{ message }}", said="[skip ci]").startswith("(skip ci)\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\n{{ imag }}", ["KIT_COMMIT_MESSAGE_TEMPLATE:2", "'imag' is undefined", "Is `image` meant?"]),
        ("{{ files[0].branhc }}", ["TEMPLATE:1", "Is `branch` meant?"]),
        ("{% for f in files %}{{ f.colour }}{% endfor %}", ["a file has no `colour`; it has image, previous, path"]),
        ("{{ image", ["expected 'end of print statement' in `{{ image`"]),
        ("{{ image|uper }}", ["TEMPLATE:1", "Is `upper` meant?"]),
        ("{{ now }}", ["'now' is undefined", "defined are image, previous"]),
        ("{{ env.PATH }}", ["'env' is undefined"]),
        ("a\n\n{% if %}", ["TEMPLATE:3", "Expected an expression"]),
        ("{{ image.__class__ }}", ["unsafe"]),
        ("{{ ''|attr('__class__') }}", ["No filter named 'attr'"]),
        ("{{ files }}", ["it is no text"]),
        ("  \n", ["the message would be empty"]),
        ("x" * 10_001, ["longer than 10000 characters"]),
        ("{{" + "(" * 4_000 + "1" + ")" * 4_000 + "}}", ["nested too deeply"]),
    ],
)
def test_a_template_that_is_wrong(text: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        message(text)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(999999999) %}x{% endfor %}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ 'x' * 999999999 }}",
        "{{ 'x'.ljust(999999999) }}",
        "{{ 'x'|center(999999999) }}",
        "{{ '%999999999d'|format(1) }}",
        "{% for a in files %}{% for b in files %}{% for c in files %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in message %}{{ message }}{% endfor %}",
        "{% set a = message ~ message %}{{ a }}",
        "{% with a = message %}{{ a }}{% endwith %}",
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{{ message|replace('x', message)|replace('x', message)|replace('x', message) }}",
        "{{ message|list|join(message) }}",
        "{% include 'x' %}",
        "{% for file in files recursive %}{{ loop([file]) }}{% endfor %}",
        "{% filter upper %}x{% endfilter %}",
        "{{ message }}{{ message }}{{ message }}{{ message }}",
    ],
)
def test_nothing_goes_on_for_ever_or_fills_the_memory(text: str) -> None:
    with pytest.raises(InputError, match=re.escape("KIT_COMMIT_MESSAGE_TEMPLATE")):
        message(text, said="x" * 9_000)
