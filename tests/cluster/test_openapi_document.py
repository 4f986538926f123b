# SPDX-License-Identifier: MIT
"""KIT_OPENAPI with what a real API server says of itself: the example repository passes, a misspelt field is named."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from kit_core.entry import main
from kit_deploymentizer.cli import STEP
from testbed.cluster import Cluster

EXAMPLE = Path(__file__).parents[2] / "examples/deployments-repo"


@pytest.fixture(params=["v2", "v3"])
def document(request: pytest.FixtureRequest, cluster: Cluster, tmp_path: Path) -> Path:
    """/openapi/v2 as a file, or the example's groups of /openapi/v3 as a folder."""
    if request.param == "v2":
        file = tmp_path / "openapi.json"
        file.write_text(cluster.kubectl("get", "--raw", "/openapi/v2").stdout)
        return file
    folder = tmp_path / "openapi"
    folder.mkdir()
    paths = json.loads(cluster.kubectl("get", "--raw", "/openapi/v3").stdout)["paths"]
    for group in ("api/v1", "apis/apps/v1", "apis/batch/v1", "apis/autoscaling/v2"):
        text = cluster.kubectl("get", "--raw", paths[group]["serverRelativeURL"]).stdout
        (folder / f"{group.replace('/', '_')}.json").write_text(text)
    return folder


def render(repository: Path, document: Path) -> tuple[int, str]:
    log = io.StringIO()
    env = {"CONF": "kit.yaml", "KIT_PLACEHOLDERS": "true", "KIT_OPENAPI": str(document)}
    return main(STEP, [], env, stdout=io.StringIO(), stderr=log, cwd=repository), log.getvalue()


def test_the_example_passes_and_a_misspelt_field_is_named(document: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(EXAMPLE, repository)
    code, log = render(repository, document)
    assert code == 0, log
    assert "warning" not in log

    template = repository / "resources/catalog/catalog-deployment.mustache"
    template.write_text(template.read_text().replace(" image:", " imge:"))
    code, log = render(repository, document)
    assert code == 1
    assert "unknown field spec.template.spec.containers[0].imge of Deployment catalog" in log
    assert "(is image meant?)" in log
    assert "Correct resources/catalog/catalog-deployment.mustache or the values it prints" in log
