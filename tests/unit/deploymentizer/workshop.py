# SPDX-License-Identifier: MIT
"""A small deployments repository to try things on, and runs of the step on it as a person would run it."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit_core.entry import main
from kit_deploymentizer.cli import STEP

KIT = """\
version: '2'
base: {path: .}
images: {path: ./images, property: image}
type: {path: ./type}
cluster: {path: ./clusters}
resources: {path: ./resources}
output: {path: ./generated}
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{{name}}}'}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{{svc.name}}}\nspec:\n  selector: {name: '{{{name}}}'}\n"


@dataclass(frozen=True)
class Result:
    """What one run said and left."""

    code: int
    log: str
    out: str
    files: Mapping[str, str]

    @property
    def last(self) -> str:
        """The last line of the log."""
        return self.log.rstrip().splitlines()[-1]


class Workshop:
    """A repository in `folder`: one base, types `test` and `prod`, clusters `east` (test) and `west` (prod)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write({
            "kit.yaml": KIT,
            "base-cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: base, branch: master}\nresources: {}\n",
            "base-var.yaml": "kind: ResourceConfig\n",
            "type/test-var.yaml": "kind: ResourceConfig\nmetadata: {type: test}\n",
            "type/prod-var.yaml": "kind: ResourceConfig\nmetadata: {type: prod}\n",
            "clusters/east/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: east, type: test}\n",
            "clusters/west/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: west, type: prod}\n",
            "resources/base-svc.mustache": SERVICE,
        })  # fmt: skip

    def write(self, files: Mapping[str, str]) -> None:
        """Write (or replace) files by path below the repository."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def resources(self, text: str, *, metadata: str = "{name: base, branch: master}") -> None:
        """The base's resources, as YAML indented by nothing."""
        lines = "".join(f"  {line}\n" for line in text.strip("\n").splitlines())
        self.write({"base-cluster.yaml": f"kind: ClusterNamespace\nmetadata: {metadata}\nresources:\n{lines}"})

    def cluster(self, name: str, text: str = "", *, metadata: str = "type: test") -> None:
        """A cluster's definition with these resources."""
        lines = "".join(f"  {line}\n" for line in text.strip("\n").splitlines())
        resources = f"resources:\n{lines}" if lines else ""
        head = f"kind: ClusterNamespace\nmetadata: {{name: {name}, {metadata}}}\n"
        self.write({f"clusters/{name}/cluster.yaml": head + resources})

    def template(self, text: str, *, name: str = "app/app.mustache") -> None:
        """A template."""
        self.write({f"resources/{name}": text})

    def app(self, template: str, resource: str = "") -> None:
        """One resource `app` of that template, in the base."""
        self.template(template)
        self.resources(f"app:\n  file: ./app/app.mustache\n{resource}")

    def run(self, *arguments: str, **env: str) -> Result:
        """Run the step in the repository's folder."""
        out, err = io.StringIO(), io.StringIO()
        world = {"CONF": "kit.yaml", **env}
        code = main(STEP, arguments, world, stdout=out, stderr=err, cwd=self.folder)
        return Result(code, err.getvalue(), out.getvalue(), self.output())

    def output(self) -> dict[str, str]:
        """Everything in the output but kit's own."""
        folder = self.folder / "generated"
        return {
            path.relative_to(folder).as_posix(): path.read_text("utf-8")
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".kit" not in path.parts
        }

    def index(self, cluster: str) -> dict[str, Any]:
        """A cluster's index."""
        content: dict[str, Any] = json.loads((self.folder / "generated" / ".kit" / f"{cluster}.json").read_text())
        return content


SEEN = CONFIG_MAP + "data:\n  seen: '{{{%s}}}'\n"


def seen(workshop: Workshop, cluster: str = "east", file: str = "app.yaml") -> str:
    """What the template of `SEEN` saw."""
    return workshop.output()[f"{cluster}/{file}"].split("seen: '")[1].rstrip("'\n")
