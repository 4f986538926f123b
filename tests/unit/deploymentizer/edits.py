# SPDX-License-Identifier: MIT
"""A fleet whose output is there already, and edits to all that it is made from."""

import os
from collections.abc import Mapping
from pathlib import Path

from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, SERVICE, Workshop

WEB = CONFIG_MAP.replace("ConfigMap", "Deployment").replace("v1", "apps/v1") + (
    "spec:\n  replicas: {{{replicas}}}\n  template:\n    metadata: {labels: {name: x}}\n    spec:\n"
    "      containers:\n      - {name: c, image: '{{{web.image}}}', envFrom: [{configMapRef: {name: job}}]}\n"
)
JOB = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: job}\n{% include 'lib/data.j2' %}\n"
CHOICE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: choice}\n{% include ['lib/new.j2', 'lib/data.j2'] %}\n"
WARNED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: '1', a: '2'}\n"
BASE = """\
kind: ClusterNamespace
metadata: {name: base, branch: master}
resources:
  web: {file: web/web.mustache, image_tag: shop/web, svc: {name: web-svc}}
  job: {file: job/job.j2}
  choice: {file: job/choice.yaml.j2}
  plain: {file: plain/plain.yaml}
  key: {file: key/key.mustache, env: [{name: KEY, external: true}]}
"""
CALM = BASE.rsplit("  key:", 1)[0]
"""Nothing of it comes from outside of the repository, so that a cluster can be used again without a look at each."""
FILES: Mapping[str, tuple[str | None, ...]] = {
    "kit.yaml": (KIT, KIT + "# another\n"),
    "base-cluster.yaml": (BASE, BASE.replace("shop/web", "shop/api"), BASE + "  more: {file: plain/plain.yaml}\n",
                          BASE.replace("  job: {", "  job: {disable: true, "), CALM),
    "base-var.yaml": ("kind: ResourceConfig\nreplicas: 1\n", "kind: ResourceConfig\nreplicas: 2\n",
                      "kind: ResourceConfig\n"),
    "type/test-var.yaml": ("kind: ResourceConfig\nmetadata: {type: test}\n",
                           "kind: ResourceConfig\nmetadata: {type: test}\nreplicas: 5\n",
                           "kind: ResourceConfig\nmetadata: &m {type: test}\nsame: *m\nreplicas: 6\n",
                           "kind: ResourceConfig\nmetadata: {type: test}\nreplicas: 1.0\nday: 2020-01-01\n"),
    "clusters/east/cluster.yaml": ("kind: ClusterNamespace\nmetadata: {name: east, type: test}\n",
                                   "kind: ClusterNamespace\nmetadata: {name: east, type: prod, allowFailure: true}\n",
                                   "kind: ClusterNamespace\nmetadata: {name: east, type: test, disable: true}\n",
                                   None),
    "clusters/east/configuration-var.yaml": (None, "kind: ResourceConfig\nreplicas: 7\n"),
    "clusters/north/cluster.yaml": (None, "kind: ClusterNamespace\nmetadata: {name: north, type: prod}\n"),
    "images/shop/web/master.yaml": ("image: shop/web:1\n", "image: shop/web:2\n", "image: a:1\nimage: a:2\n", None),
    "images/shop/api/master.yaml": ("image: shop/api:1\n", "image: shop/api:2\n"),
    "resources/web/web.mustache": (WEB, WEB + "# more\n", WEB + "  replicas: 1\n", WEB.replace("Deploy", "Deploi")),
    "resources/base-svc.mustache": (SERVICE, SERVICE + "# {{{nobody}}}\n", None),
    "resources/base-svc.yaml.j2": (SERVICE.replace("{{{", "{{").replace("}}}", "}}") + "# jinja\n", None),
    "resources/job/job.j2": (JOB, JOB + "# more\n"),
    "resources/job/choice.yaml.j2": (CHOICE,),
    "resources/lib/data.j2": ("data: {a: '1'}\n", "data: {a: '2'}\r\n", None),
    "resources/lib/new.j2": (None, "data: {a: new}\n"),
    "resources/plain/plain.yaml": (WARNED, CONFIG_MAP.replace("{{{name}}}", "plain"),
                                   CONFIG_MAP.replace("{{{name}}}", "job")),
    "resources/key/key.mustache": (CONFIG_MAP + "data: {k: '{{#key.env}}{{{value}}}{{/key.env}}'}\n",),
    "generated/east/web.yaml": ("mine\n", None),
    "generated/west/job.yaml": (CONFIG_MAP, None),
    "generated/west/stray.yaml": ("a: b\n",),
    "generated/.kit/east.json": ("{", '{"version": 1, "files": {}, "secrets": {}}', None),
    "generated/.kit/stamps": ("[]", '{"east": {"web.yaml": [1, 2]}}', None),
    "generated/.kit/parsed": ("", "kit parsed 1 a b\nc {}\n", None),
}  # fmt: skip


def put(workshop: Workshop, name: str, text: str | None, *, unseen: bool = False) -> None:
    """Write or remove a file; `unseen`, in place and within the tick of the clock in which it was last written."""
    path = workshop.folder / name
    before = path.stat() if unseen and path.exists() else None
    if text is not None:
        workshop.write({name: text})
        if before:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif path.exists():
        path.unlink()


def be_calm(workshop: Workshop) -> None:
    """Nothing comes from outside, and there is nothing to tell."""
    workshop.write({"base-cluster.yaml": CALM, "resources/plain/plain.yaml": CONFIG_MAP.replace("{{{name}}}", "plain")})
    (workshop.folder / "resources/base-svc.yaml.j2").unlink()


def everything(folder: Path) -> dict[str, bytes]:
    """The output with its indexes; what belongs to a machine is left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in {"stamps", "parsed"})
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


ALWAYS = ["east/key", "west/key"]
"""They take a value from outside the repository."""


def later(workshop: Workshop) -> None:
    """The notes as if they had been written a second after everything else: within one tick of the clock nothing is
    trusted."""
    stamps = workshop.folder / "generated/.kit/stamps"
    when = stamps.stat().st_mtime_ns + 10**9
    os.utime(stamps, ns=(when, when))
