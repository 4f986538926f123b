# SPDX-License-Identifier: MIT
"""What stands around the story: what kit is, what is on stage, where to go on."""

from __future__ import annotations

from demo.narrator import Narrator
from demo.stage import Stage


def prologue(tell: Narrator) -> None:
    """What kit is, in a few lines and a picture."""
    tell.say("""
        kit deploys to any number of Kubernetes clusters with three small Docker images and a git repository. No
        server of its own, nothing inside the clusters, no database: a CI service runs the images, git keeps the
        truth.
    """)
    tell.blank()
    tell.show("""
        a service's pipeline                         the deployments repository's pipeline
        build -> check -> push image                 clone -> render -> rehearse -> deploy -> wait until healthy
                  -> kit-image-deployer --commit-->           kit-            kit-
                                                              deploymentizer  deployer  --> every cluster
    """)
    tell.blank()
    tell.say("""
        You will see one morning of a small shop: a release, a release that breaks, and the way back. All parts are
        real, each in a container on this machine: two Kubernetes clusters, a git server, an image registry. Lines
        that begin with $ are what a pipeline runs; what follows them is what the program printed.
    """)


def opening(tell: Narrator, stage: Stage) -> None:
    """What is on stage."""
    tell.say("""
        The deployments repository is on the git server. It says what runs where: five services, three cluster
        folders on two clusters. A cluster folder is one namespace of one cluster.
    """)
    tell.blank()
    for place in stage.places:
        name = stage.cluster(place).name
        tell.show(f"clusters/{place.folder + '/':<15} -> cluster {name}, namespace {place.namespace}")
    tell.blank()
    tell.show(f"""
        {stage.remote.url}   (from containers; user {stage.remote.username})
        {stage.work}   (the commands below are typed here)
    """)


def epilogue(tell: Narrator) -> None:
    """What it was, and where to go on."""
    tell.say(f"""
        {tell.checks} checks held. A release was one commit, an outage was one message with its cause, the way back
        was one more commit; three cluster folders on two clusters followed.
    """)
    tell.blank()
    tell.show("""
        KEEP=1 make demo               the same, and everything stays up to look around
        examples/deployments-repo      what was deployed: settings, templates, one folder a cluster
        examples/service-repo          what a service team writes: one service and one step
        images/*/README.md             every setting of the three images
        docker run --rm kit-deployer:edge --help
    """)


def left_up(tell: Narrator, stage: Stage) -> None:
    """How to look around, and how to end it."""
    bed, remote = stage.bed, stage.remote
    address = remote.address.replace("@git/", f"@127.0.0.1:{bed.git.http_port}/")
    tell.scene("Left up for you to look around")
    tell.show(f"""
        python3 -m testbed info {bed.id}   addresses, and a kubeconfig for each cluster
        docker exec {bed.cluster.container.name} kubectl --kubeconfig=/run/kit/conf/admin.yaml get pods -A
        git clone {address}
        cd {stage.work}   where the commands above were typed

        python3 -m testbed down {bed.id}   takes it all down
    """)
