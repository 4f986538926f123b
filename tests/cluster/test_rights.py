# SPDX-License-Identifier: MIT
"""The rights that docs/rbac gives: enough for everything, and each one missed where it is missing."""

from __future__ import annotations

import io
import itertools
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit_core.entry import main
from kit_deployer.cli import STEP
from testbed.cluster import Cluster
from tests.cluster.desk import QUICK, Desk, Outcome, autoscaler, config_map, deployment, documents, job, service

RBAC = Path(__file__).parents[2] / "docs/rbac"


@dataclass
class Office:
    """An account with the rights of docs/rbac in one namespace, under names of its own; a desk that deploys with it."""

    desk: Desk
    cluster: Cluster
    namespace: str
    role: str
    made: list[tuple[str, str]] = field(default_factory=list)

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.role}"

    def grant(self, *missing: tuple[str, str]) -> None:
        """Give the rights of docs/rbac, without (verb, resource) of `missing`; waits until the server knows."""
        found = [
            self.renamed(body, missing)
            for file in ("deployer.yaml", "in-namespace.yaml")
            for body in yaml.safe_load_all((RBAC / file).read_text())
            if body["kind"] != "Namespace"
        ]
        self.cluster.apply(yaml.safe_dump_all(found), self.namespace)
        self.made += [(body["kind"], body["metadata"]["name"]) for body in found if "Cluster" in body["kind"]]
        for verb, resource in missing or [("patch", "deployments"), ("get", "nodes")]:
            self.expect(verb, resource, "no" if missing else "yes")

    def renamed(self, body: Any, missing: Sequence[tuple[str, str]], account: str = "kit-deployer") -> Any:
        """An object of docs/rbac under our names, as it is without some rights."""
        name = body["metadata"]["name"].replace(account, self.role)
        if body["kind"] == "ServiceAccount":
            return {**body, "metadata": {"name": name, "namespace": self.namespace}}
        body = {**body, "metadata": {"name": name}}
        if body["kind"].endswith("Binding"):
            role = {**body["roleRef"], "name": body["roleRef"]["name"].replace(account, self.role)}
            subject = {"kind": "ServiceAccount", "name": self.role, "namespace": self.namespace}
            return {**body, "roleRef": role, "subjects": [subject]}
        # Each right by itself, so that one can be left out.
        rules = [
            {"apiGroups": rule["apiGroups"], "resources": [resource], "verbs": [verb]}
            for rule in body["rules"]
            for resource, verb in itertools.product(rule["resources"], rule["verbs"])
            if (verb, resource) not in missing
        ]
        return {**body, "rules": rules}

    def expect(self, verb: str, resource: str, answer: str) -> None:
        """Wait until the server says `yes` or `no` to this right."""
        name, _, below = resource.partition("/")
        question = ("auth", "can-i", verb, name, f"--subresource={below}", "--as", self.user,
                    "--namespace", self.namespace)  # fmt: skip
        end = time.monotonic() + 20
        while self.cluster.kubectl(*question, check=False).stdout.strip() != answer:
            assert time.monotonic() < end, f"{self.user}: {verb} {resource} is not {answer}"
            time.sleep(0.05)

    def write(self, *manifests: str) -> None:
        self.desk.write("manifests/shop/all.yaml", documents(*manifests))

    def deploy(self, **env: str) -> Outcome:
        return self.desk.deploy(**env)

    def refused(self, *parts: str, **env: str) -> Outcome:
        run = self.deploy(**env)
        assert run.code == 1, run.log
        for part in (*parts, self.user, "docs/rbac"):
            assert part in run.log, run.log
        return run

    def leave(self) -> None:
        names = [f"{kind}/{name}" for kind, name in dict.fromkeys(self.made)]
        self.cluster.kubectl("delete", "--ignore-not-found", *names)


@pytest.fixture
def office(desk: Desk, cluster: Cluster, namespace: str) -> Iterator[Office]:
    office = Office(desk, cluster, namespace, f"deployer-{namespace}")
    office.grant()
    token = cluster.token(office.role, namespace)
    desk.target("shop", cluster.kubeconfig("shop", namespace, inside=False, token=token))
    yield office
    office.leave()


def test_both_strategies_deploy_with_these_rights_and_nothing_is_noted(office: Office, image: str) -> None:
    """Also a Job that is run again, an autoscaler, an old version that goes, and a failure with events and logs."""
    rest = (service("web"), config_map("settings", a="1"), autoscaler("web"), job("migrate", image))
    for number in ("1", "2"):
        office.write(deployment("web", image, MESSAGE=number), *rest)
        run = office.deploy(STRATEGY="fast-rollback", DEPLOY_ID=number, FORCE="true")
        assert run.code == 0, run.log
        assert "the account may not" not in run.log
    office.write(deployment("web", image, MESSAGE="3"), *rest)
    run = office.deploy()
    assert run.code == 0, run.log
    assert run.did("shop")["Deployment/web-2"] == "deleted"
    again = office.deploy()
    assert (again.code, set(again.did("shop").values())) == (0, {"unchanged"}), again.log
    assert office.deploy(DRY_RUN="true", DIFF="true").code == 0
    office.write(job("doomed", image, 3))
    failed = office.deploy()
    assert failed.code == 1
    assert "last log lines of pod doomed-" in failed.log
    assert "the account may not" not in failed.log


def test_a_right_that_is_missing_is_named(office: Office, image: str) -> None:
    office.write(deployment("web", image), service("web"))
    for verb, resource in [
        ("list", "configmaps"), ("patch", "configmaps"), ("create", "deployments"), ("list", "pods"),
        ("watch", "deployments"),
    ]:  # fmt: skip
        office.grant((verb, resource))
        office.refused(f'cannot {verb} resource "{resource}"', f'in the namespace "{office.namespace}"')


def test_old_versions_that_may_not_be_deleted(office: Office, image: str) -> None:
    office.write(deployment("web", image))
    assert office.deploy(STRATEGY="fast-rollback", DEPLOY_ID="1").code == 0
    office.grant(("delete", "deployments"))
    office.refused('cannot delete resource "deployments"')


def test_failures_are_told_without_the_rights_to_read_events_and_logs(office: Office, image: str) -> None:
    office.grant(("get", "pods/log"), ("list", "events"), ("watch", "events"))
    office.write(job("doomed", image, 3))
    run = office.deploy()
    assert run.code == 1
    assert re.search(rf"Job {office.namespace}/doomed-\w+ ", run.log), run.log
    assert "the account may not read logs" in run.log
    assert f"the account may not read events in {office.namespace}" in run.log
    office.write(deployment("web", image))
    assert office.deploy().code == 0, "nothing else depends on them"


def test_rights_in_the_whole_cluster_can_be_done_without(office: Office, image: str) -> None:
    """An account with rights in one namespace only: what cannot be known is said, and the deploy goes on."""
    role = f"{office.role}-cluster"
    office.cluster.kubectl("delete", "clusterrolebinding", role)
    office.expect("get", "nodes", "no")
    office.write(deployment("web", image))
    run = office.deploy()
    assert run.code == 0, run.log
    assert "a swapped cluster would not be noticed" in run.log


def test_namespaces_that_may_not_be_created(office: Office) -> None:
    office.grant(("create", "namespaces"))
    office.write(config_map("settings"))
    office.desk.write("namespaces/shop/a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: not-there}\n")
    office.refused('cannot create resource "namespaces"', "not-there")


def test_an_account_that_only_looks(office: Office, cluster: Cluster, namespace: str) -> None:
    """What `status` and DRY_RUN=read do with docs/rbac/reader.yaml; a deploy with it fails and changes nothing."""
    office.write(config_map("settings", a="1"))
    assert office.deploy().code == 0
    office.write(config_map("settings", a="2"))
    reader = Office(office.desk, cluster, namespace, f"reader-{namespace}")
    found = [
        reader.renamed(body, (), "kit-reader")
        for body in yaml.safe_load_all((RBAC / "reader.yaml").read_text())
        if body["kind"] != "Namespace"
    ]
    cluster.apply(yaml.safe_dump_all(found), namespace)
    reader.made += [(body["kind"], body["metadata"]["name"]) for body in found if "Cluster" in body["kind"]]
    try:
        reader.expect("list", "configmaps", "yes")
        token = cluster.token(reader.role, namespace)
        office.desk.target("shop", cluster.kubeconfig("shop", namespace, inside=False, token=token))
        run = office.deploy(DRY_RUN="read")
        assert (run.code, run.did("shop")) == (0, {"ConfigMap/settings": "changed"}), run.log
        assert "the account may not" not in run.log
        out, log = io.StringIO(), io.StringIO()
        code = main(STEP, ["status"], {**office.desk.settings, **QUICK}, stdout=out, stderr=log)
        assert code == 0, log.getvalue()
        assert "shop" in out.getvalue() + log.getvalue()
        reader.refused('cannot patch resource "configmaps"')
        assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"a": "1"}
    finally:
        reader.leave()
