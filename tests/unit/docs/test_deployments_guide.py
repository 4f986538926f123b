# SPDX-License-Identifier: MIT
"""The files that docs/deployments-repository.md shows make a repository that renders without a warning."""

import re
from pathlib import Path

import yaml

from kit_deploymentizer import Deploymentizer, DeploymentizerSettings
from kit_deploymentizer.lint.unused import KINDS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "deployments-repository.md").read_text("utf-8")
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: {{{svc.name}}}}\nspec: {selector: {name: {{{name}}}}}\n"


def test_the_guide_lists_what_lint_looks_for() -> None:
    assert dict(re.findall(r"^\| `([a-z]+-[a-z-]+)` \| (.*) \|$", DOCUMENT, re.MULTILINE)) == KINDS


def test_the_guides_files_render(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    files = {"resources/base-svc.mustache": SERVICE}
    for block in blocks:
        named = re.match(r"# ([a-z/-]+\.(?:yaml|mustache))", block)
        files[named[1] if named else "clusters/eu-production/cluster.yaml"] = block
    assert len(files) == len(blocks) + 1
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    report = Deploymentizer(DeploymentizerSettings(conf=tmp_path / "kit.yaml"), env={}, cwd=tmp_path).run()

    assert [str(problem) for problem in report.problems] == []
    made = tmp_path / "generated" / "eu-production"
    assert sorted(path.name for path in made.iterdir()) == ["web-deployment.yaml", "web.yaml"]
    spec = yaml.safe_load((made / "web-deployment.yaml").read_text("utf-8"))["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert spec["replicas"] == 3, "the type's setting wins"
    assert container["env"] == [{"name": "WORKERS", "value": "4"}], "the cluster's wins"
    assert container["image"] == yaml.safe_load(files["images/shop/web/master.yaml"])["image"]
