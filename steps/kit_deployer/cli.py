# SPDX-License-Identifier: MIT
"""The program: from settings to a run, and from its result to the log, the reports and the exit code."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kit_core.entry import Command, Context, Step, run
from kit_core.errors import KitError
from kit_deployer.compatibility import ABANDONED, NOT_YET
from kit_deployer.settings import DeployerSettings
from kit_deployer.status.command import status_command
from kit_deployer.wiring import deployer_of, options_of

if TYPE_CHECKING:
    from kit_deployer.result import RunResult

SUMMARY: Final = (
    "Brings every cluster to its folder of manifests: checks them on the server, applies them in order, waits until"
    " everything is healthy, or says exactly why it is not. A dry run unless DRY_RUN=false."
)


def deploy_command(settings: DeployerSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Deploy every cluster folder that has a kubeconfig."""
    _collect_rarely()
    _tell_what_is_ignored(context)
    options = options_of(settings)
    from kit_deployer.listeners.chosen import listener_of, over

    listener = listener_of(settings, context)
    deployer = deployer_of(settings, context, listener)
    if settings.dry_run:
        only = ", and the servers are not asked to check anything" if settings.dry_run == "read" else ""
        context.console.info(f"dry run: nothing is written{only} (DRY_RUN=false deploys)")
    try:
        result = deployer.run(options)
    except KitError as error:
        result = _not_begun(error, settings)
        _write(result, settings, context)
        listener.over(result)
        raise
    result = over(result, listener)
    code = result.exit_code
    if not _write(result, settings, context):
        code = code or KitError.exit_code
    _show(result, context, diff=settings.diff)
    return code


def _collect_rarely() -> None:
    """Let the collector of cycles look less often: what a run reads stays to its end, and has none.

    Looking through manifests and lists again and again took a fifth of the time of a run.
    """
    import gc

    gc.set_threshold(200_000, 20, 20)


def _not_begun(error: KitError, settings: DeployerSettings) -> "RunResult":
    """The result of a run that ended before any cluster was touched."""
    from datetime import UTC, datetime

    from kit_deployer.objects import Place
    from kit_deployer.result import Failure, RunResult

    place = Place(error.file, error.line, error.column) if error.file else None
    failure = Failure(message=str(error), exit_code=error.exit_code, place=place, reason="Input")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return RunResult(clusters=(), dry_run=bool(settings.dry_run), started=started, seconds=0.0, error=failure)


def _tell_what_is_ignored(context: Context) -> None:
    early = sorted(context.given[field] for field in NOT_YET if field in context.given)
    if early:
        context.console.warning(f"without effect yet: {', '.join(early)} (what they ask for is not there yet)")
    abandoned = sorted(name for name in context.env if name.startswith(ABANDONED) and context.env[name])
    if abandoned:
        context.console.info(f"ignored: {', '.join(abandoned)} (services that only the original's makers had)")


def _write(result: "RunResult", settings: DeployerSettings, context: Context) -> bool:
    """Write the reports that were asked for; False where that failed (it is told)."""
    if settings.report_dir is None and settings.diff_file is None:
        return True
    from kit_core.ci import detect
    from kit_deployer.report import write_comment, write_reports

    written = True
    # Each by itself: what cannot be written must not cost the others.
    try:
        if settings.diff_file is not None:
            provider = detect(context.env).name
            write_comment(result, settings.diff_file, context.masker, provider=provider)
    except KitError as error:
        context.console.error(error)
        written = False
    try:
        if settings.report_dir is not None:
            for path in write_reports(result, settings.report_dir, context.masker):
                context.console.detail(f"wrote {path}")
    except KitError as error:
        context.console.error(error)
        written = False
    return written


def _show(result: "RunResult", context: Context, *, diff: bool) -> None:
    from kit_deployer.report.shown import show_changes, show_remarks
    from kit_deployer.report.summary import summary
    from kit_deployer.report.table import table, undone
    from kit_deployer.report.words import counted, masked

    console = context.console
    show_changes(result, console, diff=diff)
    show_remarks(result, console)
    for cluster in result.clusters:
        left = undone(cluster)
        if left:
            done = sum(item.did in {"created", "changed", "deleted"} for item in cluster.objects)
            console.warning(f"done: {counted(done, 'object')}; not done: {', '.join(left)}", cluster=cluster.name)
        elif not cluster.finished and not cluster.objects:
            console.warning("not begun; nothing was touched on this cluster", cluster=cluster.name)
    console.info("summary\n" + "\n".join(table(result)))
    console.summary(lambda: summary(masked(result, context.masker)))
    totals = {
        name: sum(cluster.counts[name] for cluster in result.clusters)
        for name in ("created", "changed", "pruned", "failed")
    }
    console.result(result.word, clusters=len(result.clusters), **totals)


STEP: Final = Step(
    name="kit-deployer",
    package="kit_deployer",
    summary=SUMMARY,
    settings=DeployerSettings,
    commands=(
        Command(
            name="deploy", help="Deploy (or check) every cluster folder that has a kubeconfig.", run=deploy_command
        ),
        Command(
            name="status",
            help="Say of every cluster which commit was deployed and when, whether it is healthy, what has drifted and"
            " what is left over (--format, --exit-code). Reads only: an account that may read is enough.",
            run=status_command,
        ),
    ),
    examples=(
        "docker run --rm -v $PWD/generated:/manifests -v $PWD/clusters:/configs kit-deployer     (what would happen)",
        "docker run --rm -v $PWD/generated:/manifests -v $PWD/clusters:/configs \\",
        "  -e DRY_RUN=false -e AVAILABLE_ENABLED=true -e CI_COMMIT_ID=4f2a91c kit-deployer",
    ),
)


def main() -> NoReturn:
    """The process."""
    run(STEP)
