# SPDX-License-Identifier: MIT
"""Commands for people at their desk: what nobody uses, new files, and a render at every save."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit_core.entry import Context
from kit_core.errors import InputError
from kit_deploymentizer.settings import DeploymentizerSettings
from kit_deploymentizer.telling import DIFFERENT

if TYPE_CHECKING:
    from kit_deploymentizer.scaffold.writing import Work


def lint(settings: DeploymentizerSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Say what of the repository nobody uses, on standard output; 3 where that was asked for and there is any."""
    from kit_core.render import commandless
    from kit_deploymentizer.deploymentizer import Deploymentizer
    from kit_deploymentizer.lint.finding import as_json, as_text

    if settings.format == "markdown":
        raise InputError("lint writes text or JSON", why="KIT_FORMAT is markdown", hint="Use --format json or text.")
    findings = Deploymentizer(settings, env=context.env, cwd=context.cwd, learn_secret=context.masker.add).lint()
    if findings or settings.format == "json":
        context.console.out(as_json(findings) if settings.format == "json" else commandless(as_text(findings)))
    context.console.result("found" if findings else "clean", findings=len(findings))
    return DIFFERENT if findings and settings.exit_code else 0


def init(settings: DeploymentizerSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Make a new repository beside CONF, or here where its usual place is no folder."""
    from kit_deploymentizer.scaffold.begin import new_repository

    conf = context.cwd / settings.conf
    notes: tuple[str, ...] = ()
    if "conf" not in context.given and not conf.parent.is_dir():
        conf = context.cwd / conf.name
        notes = (f"outside of the image, say where it is: export CONF={conf.name}",)
    work = new_repository(conf)
    return _written(replace(work, notes=(*notes, *work.notes)), conf.parent, context)


def new(settings: DeploymentizerSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Add a service or a cluster to the repository."""
    from kit_deploymentizer.deploymentizer import Deploymentizer
    from kit_deploymentizer.scaffold.extend import new_cluster, new_service

    what, name = arguments["WHAT"], arguments["NAME"]
    if what not in {"service", "cluster"}:
        raise InputError(f"new makes no {what}", hint="Write `new service NAME` or `new cluster NAME`.")
    repository = Deploymentizer(settings, env=context.env, cwd=context.cwd).whole().repository
    made = (
        new_service(repository, name, settings.image)
        if what == "service"
        else new_cluster(repository, name, settings.type)
    )
    return _written(made, repository.paths.root, context)


def _written(work: "Work", root: Path, context: Context) -> int:
    from kit_deploymentizer.scaffold.writing import write

    write(work)
    for word, paths in (("new", work.made), ("changed", work.changed)):
        for path in paths:
            context.console.success(f"{word} {path.relative_to(root) if path.is_relative_to(root) else path}")
    for note in work.notes:
        context.console.info(f"Next: {note}.")
    context.console.result("created", files=len(work.made), changed=len(work.changed))
    return 0


def watch(settings: DeploymentizerSettings, context: Context, _arguments: Mapping[str, Any]) -> int:
    """Render at every save until a signal ends it, which the entry turns into its exit code (130 for Ctrl-C)."""
    from kit_deploymentizer.desk.watch import Watch

    Watch(settings, context).run()
    return 0
