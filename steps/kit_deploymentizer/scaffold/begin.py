# SPDX-License-Identifier: MIT
"""A new deployments repository."""

from pathlib import Path
from typing import Final

from kit_deploymentizer.inputs.reading import is_there
from kit_deploymentizer.scaffold import texts
from kit_deploymentizer.scaffold.insert import with_resource
from kit_deploymentizer.scaffold.writing import Work

_TYPE: Final = "staging"
_SERVICE: Final = "hello"
_IMAGE: Final = "nginxinc/nginx-unprivileged"


def new_repository(kit: Path) -> Work:
    """The files of a repository whose kit.yaml is at `kit`: one type, one cluster, one service to begin with."""
    folder, branch = kit.parent, "main"
    base = with_resource(texts.BASE_CLUSTER, texts.resource(_SERVICE, _IMAGE))
    assert base is not None
    made = {
        kit: texts.KIT,
        folder / "base-cluster.yaml": base,
        folder / "base-var.yaml": texts.BASE_SETTINGS,
        folder / f"type/{_TYPE}-var.yaml": texts.settings_of_type(_TYPE),
        folder / f"clusters/{_TYPE}/cluster.yaml": texts.cluster(_TYPE, _TYPE, None),
        folder / f"images/{_IMAGE}/{branch}.yaml": texts.image("image", f"{_IMAGE}:stable"),
        folder / "resources/base-svc.yaml.j2": texts.SERVICE_TEMPLATE,
        folder / f"resources/{_SERVICE}/{_SERVICE}-deployment.yaml.j2": texts.deployment(_SERVICE),
    }
    notes = [
        "render: kit-deploymentizer writes generated/<cluster>/*.yaml",
        "add your own: kit-deploymentizer new service NAME --image REGISTRY/PATH:TAG, and new cluster NAME --type TYPE",
        f"take the example out: {_SERVICE} in base-cluster.yaml, resources/{_SERVICE}, images/{_IMAGE}",
    ]
    ignored = folder / ".gitignore"
    if is_there(ignored, what="A file"):
        notes.insert(0, "there is a .gitignore already: /generated/, kubeconfig.yaml, *.aes and *.env belong into it")
    else:
        made[ignored] = texts.IGNORED
    return Work(made, notes=tuple(notes))
