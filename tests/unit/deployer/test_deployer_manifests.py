# SPDX-License-Identifier: MIT
"""From files to objects, as Kubernetes' own tools read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit_core.errors import InputError
from kit_deployer.inputs.index import read_index
from kit_deployer.inputs.manifests import load_folder
from kit_deployer.objects import at
from tests.unit.deployer.words import one, parse


def test_several_documents_with_their_lines() -> None:
    pod = "kind: Pod\napiVersion: v1\nmetadata: {name: %s}\n"
    found = parse(f"# nothing\n---\n---\n{pod % 'a'}---\n\n{pod % 'b'}")
    assert [(manifest.name, manifest.place.line) for manifest in found] == [("a", 4), ("b", 9)]
    assert str(found[1].where("metadata", "name")) == "shop/web.yaml:11:18"


def test_lists_are_taken_apart() -> None:
    text = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
- apiVersion: v1
  kind: ConfigMapList
  items:
  - {metadata: {name: b}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
"""
    found = parse(text)
    assert [(manifest.name, str(manifest.group_kind), manifest.place.line) for manifest in found] == [
        ("a", "ConfigMap", 4), ("b", "ConfigMap", 8), ("c", "ConfigMap", 9)]  # fmt: skip
    assert found[2].where("metadata", "name").line == 9


def test_a_kind_that_merely_ends_in_list_is_no_list() -> None:
    assert one("apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {items: [x]}").name == "a"


def test_json_values_one_after_another() -> None:
    pod = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s"}}'
    found = parse(f"\n{pod % 'a'}\n\t{pod % 'b'}\n", "shop/a.json")
    assert [(manifest.name, manifest.place.line) for manifest in found] == [("a", 2), ("b", 3)]


@pytest.mark.parametrize(
    ("written", "read"),
    [("yes", True), ("on", True), ("off", False), ("0644", 420), ("0o644", 420), ("1_000", 1000), ("12:30", "12:30"),
     ("2020-01-01", "2020-01-01"), ("~", None), ('"yes"', "yes"), ("1e3", 1000.0), ("0x1F", 31)],
)  # fmt: skip
def test_words_as_kubernetes_tools_read_them(written: str, read: object) -> None:
    body = one(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\nvalue: {written}").body
    assert body["value"] == read
    assert type(body["value"]) is type(read)


def test_which_files(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
    for number, name in enumerate(
        ["b/x.yaml", "a.yml", "c.json", ".git/y.yaml", ".hidden.yaml", "notes.txt", "b/c/z.yaml"]
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "c"}}'
            if name == "c.json"
            else text % f"n{number}"
        )
    (tmp_path / "linked").symlink_to(tmp_path / "b/c")
    found = load_folder(tmp_path).manifests
    assert [Path(manifest.place.file).relative_to(tmp_path).as_posix() for manifest in found] == [
        "a.yml", "b/c/z.yaml", "b/x.yaml", "c.json", "linked/z.yaml"]  # fmt: skip
    assert load_folder(tmp_path / "nowhere").manifests == []


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("\ufeffapiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    assert load_folder(tmp_path).manifests[0].name == "a"


def test_what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"a\.yaml: The manifest is not UTF-8 text"):
        load_folder(tmp_path)


def test_the_index_names_commit_and_secrets(tmp_path: Path) -> None:
    (tmp_path / ".kit").mkdir()
    (tmp_path / ".kit/east.json").write_text(
        '{"version": 1, "complete": true, "placeholders": false, "commit": "4f2a", "secrets": {"a.yaml": ["/data/x"]}}'
    )
    index = read_index(tmp_path, "east")
    assert index is not None
    assert (index.commit, index.secrets) == ("4f2a", {"a.yaml": ("/data/x",)})
    assert read_index(tmp_path, "west") is None


def test_paths_that_lead_nowhere() -> None:
    body = {"a": [{"b": 1}], "c": "text"}
    assert at(body, "a", 0, "b") == 1
    assert [at(body, *path) for path in (("a", 1), ("a", "b"), ("c", "d"), ("x", "y"), ("c", 0))] == [None] * 5
