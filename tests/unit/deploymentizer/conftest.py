# SPDX-License-Identifier: MIT
"""Fixtures of the deploymentizer's unit tests."""

from pathlib import Path

import pytest

from kit_deploymentizer.output.stamps import read_notes
from kit_deploymentizer.planner import Planner
from tests.unit.deploymentizer.clones import DATA, commit, words
from tests.unit.deploymentizer.edits import FILES, be_calm, put
from tests.unit.deploymentizer.hostile import ALL
from tests.unit.deploymentizer.place import Place
from tests.unit.deploymentizer.sourced import TEMPLATE
from tests.unit.deploymentizer.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A small deployments repository of its own."""
    folder = tmp_path / "repository"
    folder.mkdir()
    return Workshop(folder)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is rendered, as cluster/resource."""
    seen: list[str] = []
    real = Planner._resource

    def told(self, cluster, name, resource):  # type: ignore[no-untyped-def]
        seen.append(f"{cluster.name}/{name}")
        return real(self, cluster, name, resource)

    monkeypatch.setattr(Planner, "_resource", told)
    return seen


@pytest.fixture
def fleet(workshop: Workshop) -> Workshop:
    """A repository with every kind of file, and its output."""
    for file, texts in FILES.items():
        if not file.startswith("generated"):
            put(workshop, file, texts[0])
    assert workshop.run(KEY="one").code == 0
    return workshop


@pytest.fixture
def calm(fleet: Workshop) -> Workshop:
    """A fleet of which all can be used again, and was noted to be."""
    be_calm(fleet)
    fleet.run(KEY="one")
    while any(note.key is None for note in read_notes(fleet.folder / "generated/.kit").clusters.values()):
        fleet.run(KEY="one")
    return fleet


@pytest.fixture
def whole(workshop: Workshop) -> Workshop:
    """A repository with every kind of file. What is beside it must stay as it is."""
    workshop.write({**ALL, "../beside/secret.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\n"})
    (workshop.folder / "clusters/west/cluster.yaml").unlink()
    return workshop


@pytest.fixture
def cloned(workshop: Workshop) -> Workshop:
    """A repository with one commit, in which `word` is `one`."""
    workshop.app(DATA)
    words(workshop, "one")
    commit(workshop.folder)
    return workshop


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder."""
    return Place(tmp_path)


@pytest.fixture
def printing(workshop: Workshop) -> Workshop:
    """One cluster, one resource that prints its variables."""
    (workshop.folder / "clusters/west/cluster.yaml").unlink()
    workshop.app(TEMPLATE, "  env: [{name: OWN, value: mine}]\n")
    return workshop
