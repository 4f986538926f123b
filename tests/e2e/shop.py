# SPDX-License-Identifier: MIT
"""What people and pipelines do to the shop, in one line each, for the tests to tell a story with."""

from __future__ import annotations

import dataclasses
import itertools
import json
import secrets
from typing import Any

from demo.checks import annotation, await_page, page
from demo.git import Author
from demo.pipeline import Build
from demo.process import Result, run
from demo.shop import PLACES, Place
from demo.stage import ADA, Stage, write_kubeconfigs

OPERATOR = Author(name="Grace", email="grace@shop.example")


def places() -> tuple[Place, ...]:
    """The example's cluster folders, in namespaces that nobody else uses."""
    mark = secrets.token_hex(3)
    return tuple(dataclasses.replace(place, namespace=f"{place.namespace}-{mark}") for place in PLACES)


class Shop:
    """The deployments repository, the storefront's repository, their pipelines, and the clusters."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.places = stage.places
        self._key = stage.pipeline.secrets["PAYMENT_KEY"]
        self._runs = itertools.count(1)
        self._baseline = stage.desk.head("deployments").commit
        self._as_it_was = False
        self._everything: dict[Place, frozenset[str]] = {}
        self._namespaces = {(place.cluster, place.namespace) for place in stage.places}

    # What people do

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a text in a file of the deployments repository."""
        file = self.stage.work / "deployments" / path
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        file.write_text(text.replace(old, new), "utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a file of the deployments repository."""
        file = self.stage.work / "deployments" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def push(self, message: str) -> Build:
        """Commit the changes as the operator, and push."""
        build = self.stage.desk.commit("deployments", message, OPERATOR)
        self.stage.desk.git("deployments", "push", "--quiet", "origin", "master")
        return build

    def revert(self, *builds: Build) -> Build:
        """Revert commits, one commit each, and push."""
        self.pull()
        for build in builds:
            self.stage.desk.git("deployments", "revert", "--no-edit", build.commit, author=OPERATOR)
        self.stage.desk.git("deployments", "push", "--quiet", "origin", "master")
        return self.stage.desk.head("deployments")

    def pull(self) -> Build:
        """Fetch what others pushed; returns the head."""
        self.stage.desk.git("deployments", "pull", "--quiet", "--ff-only")
        return self.stage.desk.head("deployments")

    def rotate_key(self) -> None:
        """Put another payment key into the CI's secrets, for all clusters."""
        self._use_key(secrets.token_hex(16))

    def change(self, greeting: str) -> Build:
        """A developer merges a change to the storefront; nobody has built it yet."""
        source = self.stage.work / "storefront"
        (source / "service.json").write_text(json.dumps({"greeting": greeting, "requires": []}), "utf-8")
        return self.stage.desk.commit("storefront", f"Greet with {greeting}", ADA)

    # What pipelines do

    def merge(self, greeting: str) -> Build:
        """A developer merges a change to the storefront: its pipeline builds, checks, pushes, and records the image."""
        build = self.change(greeting)
        image = f"{self.stage.pipeline.registry}/shop/storefront:{build.tag}"
        self.stage.builder.build(image)
        run(["docker", "run", "--rm", image, "check"], check=True)
        self.stage.builder.push([image])
        done = self.stage.pipeline.update_image(build, "shop/storefront")
        assert done.code == 0, done.output
        return build

    def ship(self, **render_settings: str) -> Result:
        """The deployments repository's pipeline on its newest commit: clone, render, deploy. It has to succeed."""
        self._as_it_was = False
        clone = f"run-{next(self._runs)}"
        commit = self.stage.clone(clone)
        rendered = self.stage.pipeline.render(clone, **render_settings)
        assert rendered.code == 0, rendered.output
        done = self.stage.pipeline.deploy(clone, commit, dry_run=False)
        assert done.code == 0, done.output
        return done

    def shipped_otherwise(self) -> None:
        """To be told where something else than `ship` deploys."""
        self._as_it_was = False

    # What can be seen

    def page(self, place: Place, service: str = "storefront", **wanted: Any) -> dict[str, Any]:
        """What a service answers in a cluster folder, once it answers as wanted (or some seconds later as it does)."""
        cluster = self.stage.cluster(place)
        if not wanted:
            return page(cluster, place, service)
        return await_page(
            cluster, place, lambda page: all(page.get(key) == value for key, value in wanted.items()), service=service
        )

    def settings(self, place: Place, **wanted: str) -> dict[str, str]:
        """The settings on the storefront's page, once they hold what is wanted (or some seconds later as they are)."""
        answer = await_page(
            self.stage.cluster(place), place, lambda page: wanted.items() <= page.get("settings", {}).items()
        )
        settings: dict[str, str] = answer["settings"]
        return settings

    def commit_on(self, place: Place, kind: str, name: str) -> Any:
        """The commit that an object is marked with."""
        return annotation(self.stage.cluster(place), place, name, kind)

    def objects(self, place: Place) -> dict[str, str]:
        """Every workload, Service and configuration in a cluster folder's namespace; not kit-deployer's own record.

        Kind/name -> uid: an object that was deleted and made again is another one.
        """
        kinds = "deployments,services,configmaps,secrets,horizontalpodautoscalers,cronjobs"
        items = self.stage.cluster(place).get(kinds, "--namespace", place.namespace)["items"]
        found = {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in items}
        return {name: uid for name, uid in found.items() if name != f"ConfigMap/kit-deployer-{place.folder}"}

    def pods(self, place: Place, service: str) -> set[str]:
        """The names of a service's pods that are there to stay."""
        found = self.stage.cluster(place).get("pods", "--namespace", place.namespace, "--selector", f"name={service}")[
            "items"
        ]
        return {pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]}

    # Coming and going

    def add_place(self, place: Place) -> None:
        """Give the CI a kubeconfig for another cluster folder."""
        self._namespaces.add((place.cluster, place.namespace))
        self.stage = dataclasses.replace(self.stage, places=(*self.stage.places, place))
        write_kubeconfigs(self.stage)

    def drop_place(self, place: Place) -> None:
        """Take the kubeconfig away again."""
        self.stage = dataclasses.replace(self.stage, places=tuple(p for p in self.stage.places if p != place))
        (self.stage.work / "kubeconfigs" / place.folder / "kubeconfig.yaml").unlink()

    def restore(self) -> None:
        """Bring repository, key and clusters back to how they were first deployed, by a commit on top."""
        if self._as_it_was:
            return
        desk = self.stage.desk
        desk.git("deployments", "reset", "--quiet", "--hard")
        desk.git("deployments", "clean", "-fdxq")
        self.pull()
        self._use_key(self._key)
        desk.git("deployments", "read-tree", "-u", "--reset", self._baseline)
        if desk.git("deployments", "status", "--porcelain").output:
            self.push("As it was")
        self.ship()
        self._delete_leftovers()
        self._as_it_was = True

    def _delete_leftovers(self) -> None:
        for place in self.places:
            objects = self.objects(place).keys()
            for leftover in objects - self._everything.setdefault(place, frozenset(objects)):
                self.stage.cluster(place).kubectl("delete", leftover, "--namespace", place.namespace)

    def close(self) -> None:
        """Leave nothing behind."""
        for number, namespace in self._namespaces:
            self.stage.bed.clusters[number].delete_namespace(namespace)
        self.stage.strike()

    def _use_key(self, key: str) -> None:
        pipeline = dataclasses.replace(self.stage.pipeline, secrets={"PAYMENT_KEY": key})
        self.stage = dataclasses.replace(self.stage, pipeline=pipeline)
