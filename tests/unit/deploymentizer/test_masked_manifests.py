# SPDX-License-Identifier: MIT
"""What of a manifest is hidden when it is shown, what a comment of a pull request holds."""

import base64

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kit_core.credentials import is_credential
from kit_deploymentizer.diff.difference import Change, Difference, Shown, compare
from kit_deploymentizer.diff.masking import masked_pair
from kit_deploymentizer.diff.telling import LIMIT, as_markdown, as_text

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "apiKey",
        "token",
        "clientSecret",
        "AWS_SECRET_ACCESS_KEY",
        "passwd",
        "PASSWORDS",
        "DB_PASSWORD2",
        "DB_PWD",
        "x-api-key",
        "ENCRYPTION_KEY",
        "Authorization",
    ],
)
def test_names_of_credentials(name: str) -> None:
    assert is_credential(name)


@pytest.mark.parametrize(
    "name",
    [
        "secretName",
        "tokenRef",
        "PASSWORD_FILE",
        "name",
        "key",
        "author",
        "passenger",
        "PWD",
        "token-file",
        "imagePullSecretNames",
    ],
)
def test_names_that_are_none(name: str) -> None:
    assert not is_credential(name)


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (SECRET + "data:\n  a: b25l\n", SECRET + "data:\n  a: dHdv\n", "data:\n  a: *** (changed)\n"),
        (SECRET + "data:\n  a: b25l\n", SECRET + "data: {a: b25l, c: dHdv}\n", "data: {a: ***, c: ***}\n"),
        (SECRET + "stringData:\n  a: |\n    1\n    2\nx: y\n", SECRET + "stringData:\n  a: 'q'\nx: y\n",
         "stringData:\n  a: *** (changed)\nx: y\n"),
        ("a: {apiKey: one}\n", "a: {apiKey: two}\n", "a: {apiKey: *** (changed)}\n"),
        ("env:\n- {name: KEY_TOKEN, value: x}\n", "env:\n- {name: N, value: a}\n- {name: KEY_TOKEN, value: x}\n",
         "env:\n- {name: N, value: a}\n- {name: KEY_TOKEN, value: ***}\n"),
        ("automountServiceAccountToken: false\n", "automountServiceAccountToken: true\n",
         "automountServiceAccountToken: true\n"),
        ("a: postgres://me:one@host/x\n", "a: postgres://me:two@host/x\n", "a: postgres://me:*** (changed)@host/x\n"),
        ("a: |\n  user=me\n  password=one\n", "a: |\n  user=me\n  password=two\n",
         "a: |\n  user=me\n  password=*** (changed)\n"),
        ("args: [--token=one, --v=1]\n", "args: [--token=two, --v=2]\n", "args: [--token=*** (changed), --v=2]\n"),
        ("# password: one\na: b\n", "# password: two\na: b\n", "# password: *** (changed)\na: b\n"),
        ("a: &x one\ntoken: *x\n", "a: &x two\ntoken: *x\n", "a: *** (changed)\ntoken: *x\n"),
        ("a: $(password)\nb: 'password: $(X)'\n", "a: b\nb: 'password: $(X)'\n", "a: b\nb: 'password: $(X)'\n"),
    ],
)  # fmt: skip
def test_what_is_hidden_and_what_is_seen(before: str, after: str, shown: str) -> None:
    assert masked_pair(before, after)[1].endswith(shown)
    assert masked_pair(None, after)[1] == masked_pair(after, after)[1]
    assert "changed" not in masked_pair(after, after)[1]
    assert masked_pair(after, None) == (masked_pair(after, after)[0], "")


@pytest.mark.parametrize(
    "text",
    [
        "kind: ConfigMap\ndata:\n  a: |\n    db.password=canary canary\n    x=1\n    password: 'canary,canary'\n",
        'kind: ConfigMap\ndata:\n  a: \'{"x": {"token": "canary canary"}}\'\n',
        'kind: ConfigMap\ndata:\n  a: "{\\"password\\": \\"canary canary\\"}"\n',
        "kind: ConfigMap\ndata:\n  a: postgres://me:canary@canary@host/x\n  b: https://canary-of-a-token@host/x\n",
        "kind: ConfigMap\ndata:\n  a: |\n    -----BEGIN PRIVATE KEY-----\n    canary\n    -----END PRIVATE KEY-----\n",
        "kind: A\nargs: [--password, canary, sh, -c, 'curl -H \"Authorization: Bearer canary\" --token canary x']\n",
        "kind: A\npasswords: [canary]\npassword: {value: canary}\nenv:\n- {name: API_KEY, value: [canary]}\n",
        "kind: A\nspec: {template: {kind: Secret, stringData: {a: canary}}}\n",
        "kind: SecretList\nitems:\n- metadata: {name: a}\n  data: {a: canary}\n",
        "kind: List\nitems:\n- kind: List\n  items:\n  - {kind: Secret, data: {a: canary}}\n",
        "base: &b\n  stringData: {a: canary}\n<<: *b\nkind: Secret\n",
        f"{SECRET}stringData:\n  # once: canary\n  a: b # was canary\n",
    ],
)
def test_credentials_are_found_where_people_put_them(text: str) -> None:
    shown = masked_pair(None, text)[1]
    assert "canary" not in shown
    assert "kind: " in shown
    assert len(shown.splitlines()) >= min(len(text.splitlines()), 2)
    assert "(changed)" in masked_pair(text.replace("canary", "former"), text)[1]


def test_a_number_is_a_password_where_it_is_called_so_and_a_limit_where_it_is_not() -> None:
    text = "kind: A\npassword: 123456\ntokenLimit: 5\nargs: [--token-file, /run/token, --verbose, loud]\n"
    assert masked_pair(None, text)[1] == text.replace("123456", "***")


@pytest.mark.parametrize(
    "value", ["a" * 300_000, "password " * 30_000, "a://" + "u:" * 100_000, 'password="' * 30_000, "# " * 100_000]
)
def test_a_long_text_is_looked_through_in_linear_time(value: str) -> None:
    assert masked_pair(None, f"kind: ConfigMap\ndata:\n  x: |\n    {value}\n")[1].startswith("kind: ConfigMap")


def test_what_one_side_knows_as_secret_is_hidden_on_the_other_too() -> None:
    text = "kind: A\nmetadata: {name: a}\ndata:\n  a: canary\n"
    assert masked_pair(text, text.replace("canary", "files:a:1"), (), ["/data/a"])[0].endswith("a: ***\n")
    assert masked_pair(text.replace("canary", "files:a:1"), text, ["/data/a"], ())[1].endswith("a: *** (changed)\n")


def test_the_items_of_a_list_are_objects_of_their_own() -> None:
    items = "- kind: Secret\n  metadata: {name: a}\n  data: {x: canary}\n- kind: Other\n  data: {x: 1}\n"
    text = f"kind: List\nitems:\n{items}"
    assert masked_pair(text, text)[0] == text.replace("canary", "***")


def test_pointers_lead_to_values_of_secret_sources() -> None:
    text = "kind: A\nmetadata: {name: a}\ndata:\n  a/b:\n  - one\n  - two\n"
    old, new = masked_pair(text, text.replace("two", "2"), ["/data/a~1b/1"], ["/data/a~1b/1"])
    assert old == text.replace("two", "***")
    assert new == text.replace("two", "*** (changed)")


@pytest.mark.parametrize("text", ["a: [canary", "canary: {{", "a: !x canary", "\tcanary"])
def test_what_cannot_be_read_is_not_shown(text: str) -> None:
    old, new = masked_pair(text, text + "2")
    assert "canary" not in old + new
    assert old != new
    assert "canary" not in masked_pair("a: b\n", text)[1]
    assert "canary" not in masked_pair(text, None)[0]


def test_a_text_made_of_aliases_is_not_shown_rather_than_waited_for() -> None:
    lines = ["a0: &a0 [canary]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))]
    assert "canary" not in masked_pair("\n".join(lines), None)[0]


SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(
    values=st.dictionaries(st.sampled_from("abcdef"), SECRETS, min_size=1), style=st.sampled_from(["|", "'", '"', ""])
)
def test_no_value_of_a_secret_is_seen_however_it_is_written(values: dict[str, str], style: str) -> None:
    canaries = {key: f"canary{value}" for key, value in values.items()}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in canaries.items()}
    content = {"kind": "Secret", "metadata": {"name": "x"}, "data": data, "stringData": canaries}
    text = yaml.dump(content, default_style=style or None, allow_unicode=True)
    for old, new in (masked_pair(text, None), masked_pair(None, text), masked_pair("kind: Secret\n", text)):
        assert "canary" not in old + new
        assert "Y2FuYXJ5" not in old + new


def test_a_secret_that_changes_in_many_clusters_is_one_change() -> None:
    def side(word: str) -> dict[str, dict[str, Shown]]:
        return {f"c{n}": {"a.yaml": Shown(f"{SECRET}stringData: {{a: {word}{n}}}\n".encode())} for n in range(40)}

    difference = compare(side("one"), side("two"))
    assert [(len(change.clusters), change.kind) for change in difference.changes] == [(40, "changed")]
    assert compare(side("one"), side("one")).changes == ()


def test_a_text_without_a_last_line_end_is_told() -> None:
    difference = compare({"c": {"a": Shown(b"x: 1")}}, {"c": {"a": Shown(b"x: 1\n")}})
    assert difference.changes[0].lines[-2:] == ("-x: 1 \\ no newline at the end", "+x: 1")


def many(count: int, lines: int = 3) -> Difference:
    def change(number: int) -> Change:
        return Change(f"f{number}.yaml", "changed", (f"c{number}",), tuple(f"+line {n} `" for n in range(lines)))

    return Difference(tuple(map(change, range(count))), (), ())


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (3, 10), (5000, 3), (1, 100_000), (3, 4_000), (40, 300)])
def test_markdown_fits_a_comment_and_counts_the_rest(count: int, lines: int) -> None:
    difference = many(count, lines)
    text = as_markdown(difference, "HEAD")
    assert len(text) <= LIMIT
    assert len(text) > LIMIT / 2 or len(as_text(difference, "HEAD")) < LIMIT
    shown = text.count("\n**f")
    assert (f"_{count - shown} more changes" in text) == (shown < count)
    assert text.count("```") % 2 == 0
    if count == 1 and lines == 100_000:
        assert "more lines" in text


def test_markdown_with_many_names_fits_as_well() -> None:
    names = tuple(f"cluster-{number:05}" for number in range(10_000))
    text = as_markdown(Difference((Change("a", "added", names, ("+a",)),), names, ()), "HEAD")
    assert len(text) <= LIMIT


def test_a_fence_is_longer_than_any_in_the_text() -> None:
    difference = Difference((Change("a", "added", ("c",), ("+````",)),), (), ())
    assert "\n`````diff\n+````\n`````\n" in as_markdown(difference, "HEAD")


def test_clusters_beyond_a_few_are_folded() -> None:
    change = Change("a", "added", tuple(f"c{n}" for n in range(40)), ("+a",))
    text = as_markdown(Difference((change,), (), ()), "HEAD")
    assert "**a** is added in 40 clusters" in text
    assert "<details><summary>which</summary>" in text
