# SPDX-License-Identifier: MIT
"""Sixty random repositories, and what the original made of them: byte for byte the same, or an error as well.

The archive holds a folder per case: `case.json` with the tool's options, the process environment and the exit code, and
`expected/` with what was written. Cases hold what real repositories hold by accident.
"""

import io
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kit_core.entry import main
from kit_core.errors import KitError
from kit_deploymentizer import Deploymentizer, DeploymentizerSettings
from kit_deploymentizer.cli import STEP
from kit_deploymentizer.explain.origins import Given
from kit_deploymentizer.explain.places import Remembering, leaves, trace_view
from tests.archives import unpack

ARCHIVE = Path(__file__).parent / "kit-fleets.tar.xz"
CASES = [f"case-2026-{number:03}" for number in range(60)]


@pytest.fixture(scope="module")
def fleets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, unpacked."""
    folder = tmp_path_factory.mktemp("fleets")
    unpack(ARCHIVE, folder)
    return folder


@dataclass(frozen=True)
class Run:
    """One run on a case."""

    code: int
    log: str


def render(case: Path, **settings: str) -> Run:
    recorded = json.loads((case / "case.json").read_text("utf-8"))
    env = {**recorded["env"], **recorded["options"], "CONF": str(case / "kit.yaml"), "WORKDIR": str(case), **settings}
    err = io.StringIO()
    code = main(STEP, [], env, stdout=io.StringIO(), stderr=err, cwd=case)
    return Run(code, err.getvalue())


def manifests(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".kit" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_archive_holds_these_cases(fleets: Path) -> None:
    assert sorted(path.name for path in fleets.iterdir()) == CASES


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_repository_renders_as_the_original_rendered_it(fleets: Path, name: str) -> None:
    case = fleets / name
    recorded = json.loads((case / "case.json").read_text("utf-8"))
    run = render(case, CLEAN="false", SAVE="true")
    if recorded["exit"] != 0:
        assert run.code in {1, 2}, run.log
        assert "error: " in run.log
        assert "Traceback" not in run.log
        assert not (case / "generated").exists()
        return
    assert run.code == 0, run.log
    assert "error: " not in run.log
    assert manifests(case / "generated") == manifests(case / "expected")
    # Nothing of the environment is in the log or in the index.
    told = run.log + "".join(path.read_text("utf-8") for path in (case / "generated" / ".kit").glob("*.json"))
    assert not [value for value in recorded["env"].values() if value in told]


@pytest.mark.parametrize("name", CASES[::6])
def test_rendering_again_changes_nothing_whatever_order_folders_are_listed_in(
    fleets: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = fleets / name
    if json.loads((case / "case.json").read_text("utf-8"))["exit"] != 0:
        return
    assert render(case).code == 0
    before = manifests(case / "generated")
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path=".": sorted(listed(path), reverse=True))
    run = render(case)
    assert "result=unchanged" in run.log
    assert manifests(case / "generated") == before


@pytest.mark.parametrize("name", CASES)
def test_every_value_of_a_recorded_repository_can_be_explained(fleets: Path, name: str) -> None:
    """The view that is put together with places holds what the real one holds, and every value has its origin."""
    case = fleets / name
    recorded = json.loads((case / "case.json").read_text("utf-8"))
    if recorded["exit"] != 0:
        return
    step = Deploymentizer(DeploymentizerSettings(conf=case / "kit.yaml", workdir=case), env=recorded["env"], cwd=case)
    repository, sight = step.repository, step.sight()
    for cluster in repository.clusters:
        for resource, definition in cluster.resources.items():
            remembering = Remembering(sight.source) if sight.source else None
            asked = replace(sight, source=remembering)
            try:
                real = asked.view(cluster, resource, definition)
            except KitError:  # not of this case's clusters or resources, or allowed to fail
                continue
            fetched = remembering.fetched if remembering else []
            traced = trace_view(repository, asked, cluster, resource, fetched)
            assert {path for path, _ in traced.leaves()} == {path for path, _ in leaves(real.values)}
            known = dict(traced.leaves())
            for path, value in leaves(real.values):
                leaf = known[path]
                assert leaf.value == value or leaf.secret, path
                assert leaf.origin != Given("kit"), path
