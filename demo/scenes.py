# SPDX-License-Identifier: MIT
"""The story: a service is released, breaks, and comes back. Each scene is a function that raises what is not so."""

from __future__ import annotations

import datetime
import json
import re

from demo.checks import annotation, await_page, expect, last_crash
from demo.git import Author
from demo.narrator import Narrator
from demo.pipeline import Build
from demo.process import Result, run
from demo.stage import ADA, Stage

GRACE = Author(name="Grace", email="grace@shop.example")
_REPO = "shop/storefront"
_MISSING = "WAREHOUSE_URL"


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


def release(tell: Narrator, stage: Stage) -> Build:
    """A developer merges; the service's pipeline ends with kit-image-deployer. Returns the build."""
    tell.say("""
        Ada has merged her change to the storefront. The storefront's own pipeline builds the image, lets it check
        itself and pushes it. Then comes the one step that kit adds: it writes the new image into the deployments
        repository.
    """)
    build = stage.desk.head("storefront")
    _service_pipeline(tell, stage, build)
    tell.blank()
    tell.say(
        "A service team does no more, and has no access to any cluster. What came of it is a commit in Ada's name:"
    )
    stage.desk.git("deployments", "pull", "--quiet")
    shown = stage.desk.git("deployments", "show", "--format=%an <%ae>%n%n%B", "--unified=0", show=True).output
    expect(ADA.email in shown, "the commit is not in the developer's name")
    changed = stage.desk.git("deployments", "show", "--format=", "--name-only").output.split()
    expect(changed == [f"images/{_REPO}/master.yaml"], f"the commit changes {changed}")
    tell.check(f"one commit, by {ADA.name}, changes one line of one file and says which build it came from")
    return build


def deploy(tell: Narrator, stage: Stage, build: Build) -> None:
    """The deployments repository's pipeline: render, rehearse, deploy."""
    tell.say("""
        That commit starts the deployments repository's pipeline, as any commit there does. On a clean clone,
        kit-deploymentizer makes each cluster's manifests out of settings and templates. The payment key comes from
        the CI's secrets, not from git.
    """)
    commit = stage.clone("release")
    _succeeds(stage.pipeline.render("release"), "rendering")
    rendered = {
        place.folder: len(list((stage.work / "release/generated" / place.folder).glob("*.yaml")))
        for place in stage.places
    }
    tell.check("rendered " + ", ".join(f"{count} manifests for {name}" for name, count in rendered.items()))
    expect(all(rendered.values()), "a cluster folder has no manifests")
    tell.blank()
    tell.say("First a rehearsal: the clusters' own API servers are asked what they would say. Nothing changes.")
    rehearsal = stage.pipeline.deploy("release", commit, dry_run=True)
    _succeeds(rehearsal, "the dry run")
    for place in stage.places:
        found = stage.cluster(place).kubectl("get", "deployments", "--all-namespaces", "--output=name").stdout.split()
        expect(not found, f"the dry run left {found}")
    tell.check("rehearsed on every cluster; nothing is there yet", rehearsal.seconds)
    tell.blank()
    tell.say("""
        Now for real, on all clusters at once. Objects are applied in an order that works, then every workload is
        watched until it is healthy.
    """)
    done = stage.pipeline.deploy("release", commit, dry_run=False)
    _succeeds(done, "the deploy")
    tell.check("deployed, and healthy by Kubernetes' own account", done.seconds)
    _answers(tell, stage, build, commit)


def breakage(tell: Narrator, stage: Stage) -> Build:
    """A release that cannot start: the deploy fails and says why. Returns the deployments repository's commit."""
    tell.say(f"""
        Ada's next version shows stock levels, for which it wants a variable, {_MISSING}. Nobody has added it to the
        deployments repository. The image checks itself and passes: what is missing is missing only out there.
    """)
    service = {"greeting": "Welcome to the shop, now with stock levels", "requires": [_MISSING]}
    (stage.work / "storefront/service.json").write_text(json.dumps(service, indent=2) + "\n", "utf-8")
    build = stage.desk.commit("storefront", "Show stock levels", ADA)
    _service_pipeline(tell, stage, build)
    tell.blank()
    tell.say(
        "The commit starts the same pipeline as before. Only one image differs, so only the storefront is touched."
    )
    commit = stage.clone("broken")
    _succeeds(stage.pipeline.aside().render("broken"), "rendering")
    done = stage.pipeline.deploy("broken", commit, dry_run=False)
    ended = datetime.datetime.now(datetime.UTC)
    expect(done.code == 1, f"the deploy of a broken image ended with {done.code}, not 1")
    tell.check("the deploy failed (exit code 1), instead of waiting for a timeout of ten minutes", done.seconds)
    _names_the_cause(tell, stage, done)
    crash = max(
        filter(None, (last_crash(stage.cluster(place), place, "storefront") for place in stage.places)), default=None
    )
    expect(crash is not None, "the clusters have no record of a crash")
    assert crash is not None
    after = (ended - crash).total_seconds()
    expect(after < 10, f"the verdict came {after:.0f} s after the crash that decided it")
    tell.check("the verdict came with the crash that decided it", max(after, 0.0))
    return commit


def still_serving(tell: Narrator, stage: Stage, build: Build) -> None:
    """The broken release did no harm."""
    for place in stage.places:
        page = await_page(stage.cluster(place), place, lambda page: page.get("version") == build.tag)
        expect(page.get("version") == build.tag, f"{place.folder} answers {page}")
    tell.check("customers noticed nothing: the version before still answers in all three")


def way_back(tell: Narrator, stage: Stage, good: Build, bad: Build) -> None:
    """git revert, and the pipeline again."""
    tell.say("""
        Grace is on duty. Rolling back is no special command: she reverts the commit, and the pipeline does what it
        always does.
    """)
    stage.desk.git("broken", "revert", "--no-edit", bad.commit, author=GRACE, show=True)
    stage.desk.git("broken", "push", "--quiet", "origin", "master", show=True)
    commit = stage.clone("reverted")
    expect(commit.commit != bad.commit, "the revert did not arrive")
    _succeeds(stage.pipeline.aside().render("reverted"), "rendering")
    done = stage.pipeline.deploy("reverted", commit, dry_run=False)
    _succeeds(done, "the deploy of the reverted commit")
    tell.check("healthy again", done.seconds)
    _answers(tell, stage, good, commit)


def _service_pipeline(tell: Narrator, stage: Stage, build: Build) -> None:
    image = f"{stage.pipeline.registry}/{_REPO}:{build.tag}"
    commands = [
        stage.builder.command(image, "storefront"),
        ["docker", "run", "--rm", image, "check"],
        ["docker", "push", "--quiet", image],
    ]
    for command in commands:
        tell.command(command)
        said = run(command, cwd=stage.work, check=True).output.strip().splitlines()
        tell.output(said[-1])  # an older Docker has a word to say about its builder first
    done = stage.pipeline.update_image(build, _REPO)
    _succeeds(done, "kit-image-deployer")
    tell.check("image pushed, and recorded in the deployments repository", done.seconds)


def _answers(tell: Narrator, stage: Stage, build: Build, commit: Build) -> None:
    """The service answers with this version in all cluster folders, and its object names the commit."""
    tell.blank()
    tell.say("Does it work? Ask the storefront through its Service, on each cluster:")
    for place in stage.places:
        page = await_page(stage.cluster(place), place, lambda page: page.get("version") == build.tag)
        tell.output(f"{place.folder:<14} {json.dumps(page, ensure_ascii=False)}")
        expect(page.get("version") == build.tag, f"{place.folder} does not answer with {build.tag}")
        expect(
            not re.search("no answer", json.dumps(page)),
            f"a service behind the storefront does not answer in {place.folder}",
        )
        recorded = annotation(stage.cluster(place), place, "storefront")
        expect(
            recorded == commit.commit, f"{place.folder}: the storefront carries commit {recorded}, not {commit.commit}"
        )
    tell.check(f"{build.tag[:14]}… answers over HTTP in all three, with the services behind it")
    tell.check(f"on each cluster the storefront is marked with the commit that put it there, {commit.commit[:10]}")


def _names_the_cause(tell: Narrator, stage: Stage, done: Result) -> None:
    for place in stage.places:
        expect(place.folder in done.output, f"the message does not name {place.folder}")
    pod = re.search(r"storefront-[a-z0-9]+-[a-z0-9]{5}\b", done.output)
    expect(pod is not None, "the message names no pod")
    expect("CrashLoopBackOff" in done.output, "the message does not give the reason CrashLoopBackOff")
    said = done.line(f"{_MISSING} is not set")
    expect(said is not None, "the container's last words are not in the message")
    tell.check("it named the clusters, the pod, the reason (CrashLoopBackOff) and what the container said last")


def _succeeds(result: Result, what: str) -> None:
    tail = "\n".join(result.output.strip().splitlines()[-5:])
    expect(result.code == 0, f"{what} ended with exit code {result.code}:\n{tail}")


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
        python -m testbed info {bed.id}   addresses, and a kubeconfig for each cluster
        docker exec {bed.cluster.container.name} kubectl --kubeconfig=/run/kit/conf/admin.yaml get pods -A
        git clone {address}
        cd {stage.work}   where the commands above were typed

        python -m testbed down {bed.id}   takes it all down
    """)
