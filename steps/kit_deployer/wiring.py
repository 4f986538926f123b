# SPDX-License-Identifier: MIT
"""From settings to the values that the parts take. What is heavy is imported when it is asked for."""

from typing import TYPE_CHECKING

from kit_core.entry import Context
from kit_core.errors import InputError
from kit_deployer.settings import DeployerSettings

if TYPE_CHECKING:
    from kit_deployer.api import Deployer
    from kit_deployer.listeners.listener import Listener
    from kit_deployer.options import Options


def deployer_of(settings: DeployerSettings, context: Context, listener: "Listener | None" = None) -> "Deployer":
    """The library with these settings."""
    from kit_deployer.api import Deployer

    return Deployer(
        configs=settings.configs,
        manifests_dir=settings.manifests_dir,
        namespaces_dir=settings.namespaces_dir,
        commit=settings.ci_commit_id,
        require_all=settings.require_all,
        aes_key=settings.codeship_aes_key,
        ca_cert=settings.ca_cert,
        console=context.console,
        masker=context.masker,
        env=context.env,
        stop=context.stop,
        listener=listener,
        cwd=context.cwd,
    )


def options_of(settings: DeployerSettings) -> "Options":
    """The settings as the values that the parts take. Raises `InputError`."""
    from kit_deployer.desired.annotate import Writing
    from kit_deployer.health.model import Policy
    from kit_deployer.options import Options, Waiting
    from kit_deployer.selectors import parse_selector
    from kit_deployer.server.sending import Backoff

    selector = None
    if settings.selector:
        try:
            selector = parse_selector(settings.selector)
        except ValueError as error:
            raise InputError(
                "The settings are wrong", why=f"SELECTOR: {error}", hint="Write it as `kubectl -l` takes it."
            ) from None
    policy = Policy(
        fail_early=settings.available_health_check,
        grace=settings.available_health_check_grace_period,
        threshold=settings.available_health_check_threshold,
        ignored=frozenset(settings.available_health_check_ignored_errors),
        timeout=settings.available_timeout,
    )
    return Options(
        writing=Writing(
            strategy=settings.strategy,
            deploy_id=settings.deploy_id,
            resource=settings.resource,
            uuid=settings.uuid,
            raw=settings.raw,
        ),
        dry_run=settings.dry_run,
        diff=settings.diff or settings.diff_file is not None,
        force=settings.force,
        create_only=settings.create_only,
        adopt=settings.adopt,
        drift=settings.drift,
        conflicts=settings.conflicts,
        freeze=settings.freeze,
        selector=selector,
        waiting=Waiting(
            enabled=settings.available_enabled,
            policy=policy,
            log_lines=settings.log_lines,
            dependency_timeout=settings.dependency_timeout,
            dependency_wait=settings.dependency_wait,
        ),
        backoff=Backoff(
            tries=settings.backoff_fail_after,
            first=settings.backoff_initial_delay / 1000,
            longest=settings.backoff_max_delay / 1000,
        ),
        request_timeout=settings.request_timeout,
        run_timeout=settings.run_timeout,
        max_parallel=settings.max_parallel,
        requests_per_second=settings.requests_per_second,
        allow_failure=settings.allow_failure,
    )
