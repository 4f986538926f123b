# SPDX-License-Identifier: MIT
"""What the story is played on: a testbed, a folder with the repositories, the images in the registry."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.git import Author, Workstation
from demo.pipeline import Audience, Build, Pipeline, Remote
from demo.shop import PLACES, SERVICES, Builder, Place, lay_out, recorded_images
from testbed.bed import Testbed
from testbed.cluster import Cluster
from testbed.container import LABEL, PART_LABEL
from testbed.docker import Progress
from testbed.images import Recipe, ensure_image

PLATFORM = Author(name="Platform team", email="platform@shop.example")
ADA = Author(name="Ada", email="ada@shop.example")
_RIGHTS = Path(__file__).parents[1] / "docs/rbac"
GO = Recipe(name="kit-demo-go", folder=Path(__file__).parent / "go", note="half a minute, once")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything a scene needs."""

    bed: Testbed
    work: Path
    desk: Workstation
    builder: Builder
    remote: Remote
    pipeline: Pipeline
    places: tuple[Place, ...] = PLACES

    def cluster(self, place: Place) -> Cluster:
        """The cluster that a cluster folder is on."""
        return self.bed.clusters[place.cluster]

    def watched_by(self, audience: Audience) -> Stage:
        """The same stage, with somebody to watch the pipeline and git."""
        desk = Workstation(self.desk.container, self.desk.work, audience)
        return dataclasses.replace(self, desk=desk, pipeline=self.pipeline.aside(audience))

    def clone(self, folder: str) -> Build:
        """A clean clone of the deployments repository, as a CI makes one for each run; returns what it holds."""
        shutil.rmtree(self.work / folder, ignore_errors=True)
        self.desk.clone(self.remote, folder)
        return self.desk.head(folder)

    def strike(self) -> None:
        """Remove what was set up beside the testbed itself."""
        self.desk.stop()
        self.builder.forget()


def set_up(
    bed: Testbed, work: Path, *, images: Mapping[str, str], progress: Progress, places: tuple[Place, ...] = PLACES
) -> Stage:
    """Lay out the repositories in an empty folder, push the deployments repository and the shop's images."""
    label = f"{LABEL}={bed.id}"
    ours = ("--label", label, "--label", f"{PART_LABEL}=run")
    name = f"kit-{bed.id}-desk-{secrets.token_hex(3)}"
    desk = Workstation.start(name=name, image=bed.image, network=bed.network, work=work, options=ours)
    builder = Builder(source=work / "storefront", builder=ensure_image(GO, progress), registry=bed.registry.outside)
    registry = bed.registry.outside
    repository = bed.git.create(f"shop-{name.rpartition('-')[2]}/deployments")
    remote = Remote(url=repository.url_inside, username=repository.username, password=repository.password)
    secret = {"PAYMENT_KEY": secrets.token_hex(16)}
    pipeline = Pipeline(
        network=bed.network, work=work, images=images, registry=registry, remote=remote, secrets=secret, options=ours
    )
    stage = Stage(bed=bed, work=work, desk=desk, builder=builder, remote=remote, pipeline=pipeline, places=places)
    progress("the service's repository, with a first commit")
    lay_out("service-repo", work / "storefront", registry)
    desk.git("storefront", "init", "--quiet")
    desk.commit("storefront", "Welcome customers", ADA)
    progress("the deployments repository, pushed to the git server")
    lay_out("deployments-repo", work / "deployments", registry)
    write_namespaces(work / "deployments", places)
    desk.git("deployments", "init", "--quiet")
    desk.commit("deployments", "The shop", PLATFORM)
    desk.git("deployments", "remote", "add", "origin", remote.address)
    desk.git("deployments", "push", "--quiet", "--set-upstream", "origin", "master")
    write_kubeconfigs(stage)
    progress("the images that run this morning, pushed to the registry")
    references = [image for service, image in recorded_images(work / "deployments").items() if service in SERVICES]
    for reference in references:
        builder.build(reference)
    builder.push(references)
    return stage


def write_namespaces(deployments: Path, places: Iterable[Place]) -> None:
    """Write what kit-deployer makes of namespaces that are missing: one for each place."""
    for place in places:
        file = deployments / "namespaces" / place.folder / "namespace.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {place.namespace}\n", "utf-8")


def write_kubeconfigs(stage: Stage) -> None:
    """Write a kubeconfig for each place, as a CI has them from its secrets: of an account that may deploy, no more."""
    tokens = {number: _account(stage.bed.clusters[number]) for number in {place.cluster for place in stage.places}}
    for place in stage.places:
        file = stage.work / "kubeconfigs" / place.folder / "kubeconfig.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        cluster, token = stage.cluster(place), tokens[place.cluster]
        file.write_text(cluster.kubeconfig(place.folder, place.namespace, token=token), "utf-8")


def _account(cluster: Cluster) -> str:
    """Give a cluster the account that docs/rbac describes, for all its namespaces; its token."""
    for name in ("deployer.yaml", "in-cluster.yaml"):
        cluster.apply((_RIGHTS / name).read_text("utf-8"))
    return cluster.token("kit-deployer", "kit")
