# SPDX-License-Identifier: MIT
"""Sources that other packages bring, and the schema of the list `sources`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from kit_core.errors import InputError
from kit_deploymentizer.inputs.layout import read_kit
from kit_deploymentizer.sources.listed import read_sources
from kit_deploymentizer.sources.options import schema
from tests.unit.deploymentizer.workshop import KIT, Workshop

TEMPLATE = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData:\n"
    "{{#app.env}}\n  {{{name}}}: '{{{value}}}'\n{{/app.env}}\n"
)
MODULE = """\
from kit_core.errors import WorkError
from kit_deploymentizer.sources import Fetched


class Vault:
    def __init__(self, options, world):
        if "broken" in options:
            raise KeyError("broken")
        self.options, self.asked = options, 0

    def fetch(self, container, target):
        self.asked += 1
        answer = self.options["answer"]
        if answer == "raise":
            raise ValueError("no such path")
        if answer == "refuse":
            raise WorkError("the vault is sealed")
        if answer == "fetched":
            return Fetched({"env": [{"name": "A", "value": f"{container['name']}@{target.name}"}]}, ("a note",))
        return {"env": {"A": "one", "ASKED": self.asked}} if answer == "map" else answer
"""


@pytest.fixture
def workshop(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A repository, and an installed package that brings the source `acme-vault`."""
    site = tmp_path / "site"
    (site / "acme_vault-1.0.dist-info").mkdir(parents=True)
    (site / "acme_vault.py").write_text(MODULE)
    (site / "acme_vault-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: acme-vault\nVersion: 1.0\n")
    (site / "acme_vault-1.0.dist-info/entry_points.txt").write_text(
        "[kit_deploymentizer.sources]\nacme-vault = acme_vault:Vault\ngone = acme_vault:Gone\n"
    )
    monkeypatch.syspath_prepend(str(site))
    (workshop.folder / "clusters/west/cluster.yaml").unlink()
    workshop.app(TEMPLATE, "  env: [{name: OWN, value: mine}]\n")
    yield workshop
    sys.modules.pop("acme_vault", None)


def sources(workshop: Workshop, text: str) -> None:
    workshop.write({"kit.yaml": KIT + f"sources: [{{{text}}}]\n"})


def test_a_package_may_bring_a_source(workshop: Workshop) -> None:
    sources(workshop, "kind: acme-vault, options: {answer: fetched}")
    result = workshop.run()
    assert result.code == 0, result.log
    assert "A: 'app@east'" in result.files["east/app.yaml"]
    assert "a note" in result.log
    assert workshop.index("east")["secrets"] == {"app.yaml": ["/stringData/A"]}


def test_a_plain_map_will_do_and_each_question_is_asked_once(workshop: Workshop) -> None:
    sources(workshop, "kind: acme-vault, options: {answer: map}")
    result = workshop.run()
    assert result.code == 0, result.log
    assert "A: 'one'\n  ASKED: '1'" in result.files["east/app.yaml"]


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ("kind: acme-vault, options: {answer: raise}", 1,
         "the source failed with ValueError (source acme-vault, container app): no such path"),
        ("kind: acme-vault, name: v, options: {answer: refuse}", 1, "the vault is sealed (source v, container app)"),
        ("kind: acme-vault, options: {answer: text}", 1, "what the source acme-vault returned is no map"),
        ("kind: acme-vault, options: {broken: 1}", 2, "the source acme-vault cannot be made: acme_vault:Vault: Key"),
        ("kind: gone", 2, "kit.yaml:8: the source gone cannot be made: acme_vault:Gone: AttributeError"),
        ("kind: acme-valt", 2, "kit.yaml:8: a source of kind acme-valt is not known: there are files, http, exec, and"),
        ("kind: acme-valt", 2, "from installed packages acme-vault, gone. acme-vault is probably meant"),
    ],
)  # fmt: skip
def test_what_another_package_does_wrong_ends_as_a_sentence(workshop: Workshop, text: str, code: int, why: str) -> None:
    sources(workshop, text)
    result = workshop.run()
    assert result.code == code, result.log
    assert why in result.log
    assert "Traceback" not in result.log


# The schema is what editors check with; it must say what reading says.

GOOD = [
    {"kind": "files", "path": "a.env"},
    {"kind": "files", "name": "x", "path": "{cluster}.yaml", "optional": True, "encrypted": False, "values": "/a",
     "resources": ["web"]},
    {"kind": "http", "url": "https://x/{service}", "method": "POST", "timeout": 2.5,
     "headers": {"A": "b", "C": {"env": "TOKEN"}}},
    {"kind": "exec", "command": ["a", "b"], "timeout": 1},
    {"kind": "acme-vault", "options": {"any": ["thing"]}},
    {"kind": "acme-vault"},
]  # fmt: skip
BAD: list[Any] = [
    "files",
    {},
    {"path": "a"},
    {"kind": "files"},
    {"kind": "files", "path": ""},
    {"kind": "files", "path": 1},
    {"kind": "files", "path": "a", "extra": 1},
    {"kind": "files", "path": "a", "optional": "true"},
    {"kind": "files", "path": "a", "resources": "web"},
    {"kind": "files", "path": "a", "resources": []},
    {"kind": "http", "url": "https://x", "method": "PUT"},
    {"kind": "http", "url": "https://x", "timeout": True},
    {"kind": "http", "url": "https://x", "timeout": 0},
    {"kind": "http", "url": "https://x", "headers": {"A": 1}},
    {"kind": "http", "url": "https://x", "headers": {"A": {"env": "B", "c": "d"}}},
    {"kind": "exec", "command": "ls"},
    {"kind": "exec", "command": [1]},
    {"kind": "acme-vault", "path": "a"},
    {"kind": "acme-vault", "options": []},
]


def test_what_the_guide_shows_is_taken(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "deployments-repository.md").read_text("utf-8")
    block = guide.split("```yml\nsources:", 1)[1].split("```", 1)[0]
    (tmp_path / "kit.yaml").write_text(f"{KIT}sources:{block}")
    assert [one.kind for one in read_sources(read_kit(Path("kit.yaml"), None, tmp_path)[0])] == [
        "files",
        "http",
        "exec",
    ]
    Draft202012Validator(schema()).validate(yaml.safe_load(f"sources:{block}")["sources"])


def read(tmp_path: Path, entry: Any) -> None:
    (tmp_path / "kit.yaml").write_text(KIT + f"sources: {json.dumps([entry])}\n")
    read_sources(read_kit(Path("kit.yaml"), None, tmp_path)[0])


@pytest.mark.parametrize("entry", GOOD)
def test_the_schema_takes_what_is_taken(tmp_path: Path, entry: Any) -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate([entry])
    read(tmp_path, entry)


@pytest.mark.parametrize("entry", BAD)
def test_the_schema_refuses_what_is_refused(tmp_path: Path, entry: Any) -> None:
    assert not Draft202012Validator(schema()).is_valid([entry])
    with pytest.raises(InputError):
        read(tmp_path, entry)
