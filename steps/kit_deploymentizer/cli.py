# SPDX-License-Identifier: MIT
"""The program: kit-deploymentizer."""

import contextlib
import gc
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from kit_core.entry import Argument, Command, Context, Step, run
from kit_core.errors import InputError, worst_exit_code
from kit_deploymentizer.desk import commands as desk
from kit_deploymentizer.settings import DeploymentizerSettings
from kit_deploymentizer.telling import DIFFERENT, counted, tell


def render(settings: DeploymentizerSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Render the repository and write the output; the exit code."""
    from kit_deploymentizer.deploymentizer import Deploymentizer
    from kit_deploymentizer.inputs.layout import normal

    console = context.console
    deploymentizer = Deploymentizer(
        settings,
        env=context.env,
        cwd=context.cwd,
        learn_secret=context.masker.add,
        strict="validate" in context.given and settings.validate == "error",
        waiting=console.waiting,
    )
    with _uncollected():
        paths = deploymentizer.repository.paths
    if settings.workdir is None and paths.root != normal(context.cwd):
        console.info(f"The paths in kit.yaml begin at its own folder, {paths.root}: the base is there and not here.")
    with _uncollected():
        plan = deploymentizer.plan(again=False, brief=True)
    for problem in plan.problems:
        tell(problem, console, paths.root, context.cwd)
    if plan.errors:
        console.result("failed", errors=len(plan.errors), clusters=len(plan.clusters))
        return worst_exit_code(problem.error.exit_code for problem in plan.errors)
    with _uncollected():
        report = deploymentizer.run(plan)
    for cluster, names in report.stale.items():
        console.warning(
            f"{', '.join(names)} will keep the old value of a ConfigMap or Secret that changed, until something"
            " restarts them; KIT_CONFIG_CHECKSUM=true does that.",
            cluster=cluster,
        )
    facts = {
        "clusters": len(report.clusters),
        "written": len(report.written),
        "unchanged": len(report.unchanged),
        "removed": len(report.removed),
    }
    for word, paths_of in (("written", report.written), ("removed", report.removed)):
        for path in paths_of:
            console.detail(f"{word} {path}")
    if report.saved:
        console.success(
            f"{counted(facts['clusters'], 'cluster')} in {report.output}: {counted(facts['written'], 'file')}"
            f" written, {facts['unchanged']} unchanged, {facts['removed']} removed."
        )
    else:
        files = sum(len(cluster.outputs) for cluster in plan.clusters)
        told = f"{counted(facts['clusters'], 'cluster')} with {counted(files, 'file')}"
        console.success(f"{told} rendered; nothing was written (SAVE=false).")
    console.result(report.word, **facts)
    return 0


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles meanwhile: a plan is hundreds of thousands of values that live to the end, and looking
    through them again and again takes a third of a run."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # the values stay: a first search afterwards would look through all of them
        if was:
            gc.enable()


def explain(settings: DeploymentizerSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Say where each value of a resource's view comes from, on standard output."""
    from kit_core.render import commandless
    from kit_deploymentizer.deploymentizer import Deploymentizer
    from kit_deploymentizer.explain.telling import as_json, as_text, selected

    cluster, resource = arguments["CLUSTER"], arguments["RESOURCE"]
    if settings.format == "markdown":
        raise InputError("explain writes text or JSON", why="KIT_FORMAT is markdown", hint="Use --format json or text.")
    deploymentizer = Deploymentizer(settings, env=context.env, cwd=context.cwd, learn_secret=context.masker.add)
    values = selected(deploymentizer.explain(cluster, resource, context.console.warning), arguments["PATH"] or "")
    json = settings.format == "json"
    context.console.out(as_json(cluster, resource, values) if json else commandless(as_text(values)))
    context.console.result("explained", values=len(values))
    return 0


def diff(settings: DeploymentizerSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Say what changes in every cluster's manifests, on standard output; 3 where that was asked for and some do."""
    from kit_deploymentizer.diff.comparing import Comparison
    from kit_deploymentizer.diff.telling import as_json, as_markdown, as_text, summary
    from kit_deploymentizer.outcome import RenderError

    console = context.console
    comparison = Comparison(settings, context.env, context.cwd, settings.against)
    root = comparison.paths.root
    try:
        difference, problems = comparison.difference()
    except RenderError as error:
        for problem in error.problems:
            tell(problem, console, root, context.cwd)
        console.result("failed", errors=len(error.problems))
        return error.exit_code
    for problem in problems:
        tell(problem, console, root, context.cwd)
    told = comparison.told
    if comparison.is_ambiguous:
        console.warning(f"{told} is compared as a git reference; the folder of that name would be ./{told}.")
    for note in comparison.notes:
        console.warning(f"{told} does not render whole, so it is compared as far as it does: {note}")
    write = {"text": as_text, "json": as_json, "markdown": as_markdown}[settings.format]
    if difference or settings.format != "text":
        console.out(write(difference, told))
    console.info(summary(difference, told))
    facts = {"files": difference.files, "clusters": len(difference.clusters)}
    console.result("changed" if difference else "unchanged", **facts)
    return DIFFERENT if difference and settings.exit_code else 0


def encrypt(settings: DeploymentizerSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Print a file, or the value on standard input, encrypted."""
    from kit_deploymentizer.desk import encrypting

    return encrypting.encrypt(settings, context, arguments)


STEP: Final = Step(
    name="kit-deploymentizer",
    package="kit_deploymentizer",
    summary="Renders the manifests of every cluster of a deployments repository: base, type and cluster settings are"
    " merged, images looked up, templates rendered, and the result is checked and written to <output>/<cluster>/.",
    settings=DeploymentizerSettings,
    commands=(
        Command(
            name="render",
            help="Render all clusters, or those and the resource that the settings name, and write the output.",
            run=render,
        ),
        Command(
            name="diff",
            help="Show what this state of the repository changes in the manifests of every cluster, compared with"
            " another commit or an earlier output (--against). The same change in many clusters is shown once. Needs"
            " no cluster and no secret, shows none, and writes nothing.",
            run=diff,
        ),
        Command(
            name="explain",
            help="Say of each value that a resource's template sees in a cluster which file and line set it and which"
            " ones it overrode; nothing is written, external values are not needed, secrets are not shown.",
            run=explain,
            arguments=(
                Argument(name="CLUSTER", help="the cluster's metadata.name"),
                Argument(name="RESOURCE", help="the resource's name in cluster.yaml or base-cluster.yaml"),
                Argument(
                    name="PATH",
                    help="only this value and those below it, such as web.image or web.env.WORKERS",
                    required=False,
                ),
            ),
        ),
        Command(
            name="lint",
            help="Name what nobody uses (images, types, settings that no template reads, resources that are disabled"
            " everywhere), values that no cluster sets, and overrides that change nothing, each with file and line."
            " Looks at the whole repository, needs no secret, writes nothing.",
            run=desk.lint,
        ),
        Command(
            name="init",
            help="Make a new deployments repository in the folder of CONF (or in the current one) that renders at once:"
            " a type, a cluster and a service to begin with. Overwrites nothing.",
            run=desk.init,
        ),
        Command(
            name="new",
            help="Add a service (--image) or a cluster (--type) to the repository, where kit.yaml says that such things"
            " are. Overwrites nothing.",
            run=desk.new,
            arguments=(
                Argument(name="WHAT", help="service or cluster"),
                Argument(name="NAME", help="its name: small letters, digits and `-`"),
            ),
        ),
        Command(
            name="watch",
            help="Render, and again whenever something is saved, showing what that changed in the manifests; errors are"
            " shown and the watch goes on, until it is interrupted.",
            run=desk.watch,
        ),
        Command(
            name="encrypt",
            help="Print a file encrypted, or, without one, the value on standard input as one line for any YAML of the"
            " repository. The key is CODESHIP_AES_KEY or codeship.aes.",
            run=encrypt,
            arguments=(Argument(name="FILE", help="the file with the plain text", required=False),),
        ),
    ),
    examples=(
        'docker run --rm -v "$PWD:/manifests" kit-deploymentizer',
        'docker run --rm -v "$PWD:/manifests" -e CLUSTER_NAME=production-eu -e SAVE=false kit-deploymentizer',
        'docker run --rm -v "$PWD:/manifests" kit-deploymentizer diff --against origin/master... --format markdown',
        'docker run --rm -v "$PWD:/manifests" kit-deploymentizer explain production-eu web web.image',
        'docker run --rm -v "$PWD:/manifests" kit-deploymentizer init',
        'docker run --rm -v "$PWD:/manifests" kit-deploymentizer new service web --image registry.example.com/web:1.0',
    ),
)


def main() -> NoReturn:
    """The console script."""
    run(STEP)
