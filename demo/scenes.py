# SPDX-License-Identifier: MIT
"""The story: a service is released, breaks, and comes back. Each scene is a function that raises what is not so."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

from demo.audience import Ending, Folding
from demo.checks import annotation, await_page, expect, last_crash
from demo.git import Author
from demo.narrator import Narrator
from demo.pipeline import Build
from demo.process import Result, run
from demo.stage import ADA, Stage

GRACE = Author(name="Grace", email="grace@shop.example")
_REPO = "shop/storefront"
_GREETING = "Good morning, and welcome to the shop"
_MISSING = "WAREHOUSE_URL"


def first_light(tell: Narrator, stage: Stage) -> None:
    """The shop as it is, on empty clusters."""
    tell.say("""
        The clusters are empty, so the shop is deployed as it stands, with the two steps that make up the deployments
        repository's pipeline. kit-deploymentizer makes each cluster's manifests out of settings and templates; the
        payment key comes from the CI's secrets, not from git.
    """)
    commit = stage.clone("first")
    _succeeds(stage.pipeline.render("first"), "rendering")
    files = {
        place.folder: list((stage.work / "first/generated" / place.folder).glob("*.yaml")) for place in stage.places
    }
    expect(all(files.values()), "a cluster folder has no manifests")
    tell.check("rendered " + ", ".join(f"{len(found)} manifests for {name}" for name, found in files.items()))
    tell.blank()
    tell.say("""
        kit-deployer brings all clusters to them at once: objects in an order that works, then it watches until every
        workload is healthy.
    """)
    done = stage.pipeline.aside(Ending(tell, "summary")).deploy("first", commit, dry_run=False)
    _succeeds(done, "the deploy")
    tell.check("five services run in three cluster folders, healthy by Kubernetes' own account", done.seconds)


def release(tell: Narrator, stage: Stage) -> Build:
    """A developer merges; the service's pipeline ends with kit-image-deployer. Returns the build."""
    tell.say("""
        Ada merges a friendlier greeting into the storefront. The storefront's own pipeline builds the image, lets it
        check itself and pushes it. Then comes the one step that kit adds: it writes the new image into the
        deployments repository.
    """)
    build = _change(stage, "Greet our customers", {"greeting": _GREETING, "requires": []})
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
        That commit starts the deployments repository's pipeline, as any commit there does, on a clean clone. Rendering
        is as before. Then a rehearsal: the clusters' own API servers are asked what they would make of it.
    """)
    commit = stage.clone("release")
    _succeeds(stage.pipeline.aside().render("release"), "rendering")
    before = _versions(stage)
    rehearsal = stage.pipeline.deploy("release", commit, dry_run=True, DIFF="true")
    _succeeds(rehearsal, "the dry run")
    expect(_versions(stage) == before, "the dry run changed something")
    tell.check("rehearsed on every cluster; nothing has changed yet", rehearsal.seconds)
    tell.blank()
    tell.say("Now for real.")
    done = stage.pipeline.aside(_folding(tell)).deploy("release", commit, dry_run=False)
    _succeeds(done, "the deploy")
    tell.check("deployed, and healthy", done.seconds)
    _answers(tell, stage, build, commit)


def breakage(tell: Narrator, stage: Stage) -> Build:
    """A release that cannot start: the deploy fails and says why. Returns the deployments repository's commit."""
    tell.say(f"""
        Ada's next version shows stock levels, for which it wants a variable, {_MISSING}. Nobody has added it to the
        deployments repository. The image checks itself and passes: what is missing is missing only out there.
    """)
    build = _change(
        stage, "Show stock levels", {"greeting": f"{_GREETING}, now with stock levels", "requires": [_MISSING]}
    )
    _service_pipeline(tell, stage, build)
    tell.blank()
    tell.say("""
        The commit starts the same pipeline as before; only the storefront is touched. Kubernetes restarts a container
        that crashes, at first at once, then after 10 and 20 seconds. At the third restart kit takes it for broken.
    """)
    commit = stage.clone("broken")
    _succeeds(stage.pipeline.aside().render("broken"), "rendering")
    done = stage.pipeline.aside(_folding(tell)).deploy("broken", commit, dry_run=False)
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
    expect(after < 15, f"the verdict came {after:.0f} s after the crash that decided it")
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
    done = stage.pipeline.aside(_folding(tell)).deploy("reverted", commit, dry_run=False)
    _succeeds(done, "the deploy of the reverted commit")
    tell.check("healthy again", done.seconds)
    _answers(tell, stage, good, commit)


def _folding(tell: Narrator) -> Folding:
    """Without a line for each of the objects that the story is not about."""
    return Folding(
        tell, r"^\[[^]]+\] +\w+ \S+/(?!storefront: \d)\S+: (there|completed|\d+ pods? available)$", "healthy as before"
    )


def _change(stage: Stage, message: str, service: dict[str, object]) -> Build:
    """Ada changes what the storefront's image brings along, and merges."""
    (stage.work / "storefront/service.json").write_text(json.dumps(service, indent=2) + "\n", "utf-8")
    return stage.desk.commit("storefront", message, ADA)


def _versions(stage: Stage) -> list[str]:
    """What the API servers count up whenever the storefront's object changes."""
    return [
        str(
            stage.cluster(place).get("deployment", "storefront", "--namespace", place.namespace)["metadata"][
                "generation"
            ]
        )
        for place in stage.places
    ]


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
        tell.output(f"{place.folder + ':':<14} {_told(page)}")
        expect(page.get("version") == build.tag, f"{place.folder} does not answer with {build.tag}")
        expect(
            not re.search("no answer", json.dumps(page)),
            f"a service behind the storefront does not answer in {place.folder}",
        )
        recorded = annotation(stage.cluster(place), place, "storefront")
        expect(
            recorded == commit.commit, f"{place.folder}: the storefront carries commit {recorded}, not {commit.commit}"
        )
    tell.check(f"{build.tag[:17]}… answers over HTTP in all three, with the services behind it")
    tell.check(f"on each cluster the storefront is marked with the commit that put it there, {commit.commit[:10]}")


def _told(page: dict[str, Any]) -> str:
    """What a page says, in one line."""
    settings, behind = page.get("settings", {}), page.get("behind", {})
    where = f"{settings.get('LOCATION')}, {settings.get('CURRENCY')}"
    others = ", ".join(f"{name} {version}" for name, version in behind.items())
    return f'{page.get("version")} ({where}) says "{page.get("greeting")}"; behind it {others}'


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
