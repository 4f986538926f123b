# SPDX-License-Identifier: MIT
"""Who is told of a run, by its settings, and how it ends for them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from kit_core.errors import InputError, Interrupted
from kit_core.step import Context
from kit_deployer.listeners.listener import Listener, Nobody, Several
from kit_deployer.result import RunResult
from kit_deployer.settings import DeployerSettings

if TYPE_CHECKING:
    from kit_deployer.backup.keeper import Keeper
    from kit_deployer.listeners.webhooks import Teller


def listener_of(settings: DeployerSettings, context: Context) -> Listener:
    """Who is told of the run. A dry run, which does nothing, is told to nobody and leaves nothing in a bucket."""
    keeper = _keeper(settings, context)
    if settings.dry_run:
        return Nobody()
    return Several([listener for listener in (keeper, _teller(settings, context)) if listener is not None])


def _keeper(settings: DeployerSettings, context: Context) -> "Keeper | None":
    """Who keeps copies of what is applied. Raises `InputError` where it never could."""
    if not settings.backup_enabled:
        return None
    if not settings.aws_bucket:
        why = "BACKUP_ENABLED=true keeps manifests in an S3 bucket, and AWS_BUCKET is not set"
        raise InputError("The settings are wrong", why=why, hint="Set it to the bucket's name. Nothing was touched.")
    from kit_deployer.backup.bucket import Bucket, Where
    from kit_deployer.backup.credentials import Keys
    from kit_deployer.backup.keeper import Keeper

    given, token = context.given, settings.aws_session_token
    if given.get("aws_access_key_id", "").startswith("KIT_") and given.get("aws_session_token") == "AWS_SESSION_TOKEN":
        token = None  # it belongs to the keys beside it, which are another program's
    where = Where(
        bucket=settings.aws_bucket,
        endpoint=settings.aws_endpoint_url,
        region=settings.aws_region,
        encryption=settings.backup_encryption,
        keys=Keys(
            access_key=settings.aws_access_key_id,
            secret_key=settings.aws_secret_access_key,
            session_token=token,
        ),
    )
    bucket = Bucket(where, env=context.env, ca_cert=settings.ca_cert, secret_found=context.masker.add)
    encrypted = settings.backup_encryption != "none"
    return Keeper(
        bucket, form=settings.save_format, secrets=settings.backup_secrets, encrypted=encrypted, console=context.console
    )


def _teller(settings: DeployerSettings, context: Context) -> "Teller | None":
    """Who tells webhooks of the run; nobody where none is set."""
    if not (settings.available_webhook or settings.slack_webhook):
        return None
    from kit_deployer.listeners.webhooks import Addresses, Teller

    addresses = Addresses(
        webhooks=settings.available_webhook,
        slack=settings.slack_webhook,
        uuid=settings.uuid,
        revert=settings.is_rollback,
        job_url=_job_url(context.env),
    )
    return Teller(addresses, console=context.console, masker=context.masker, env=context.env, ca_cert=settings.ca_cert)


def _job_url(env: Mapping[str, str]) -> str | None:
    """The CI's page of this run, where it says which that is."""
    from kit_core.ci import detect
    from kit_core.secrets import bare_urls

    provider = detect(env)
    if provider.name == "github" and env.get("GITHUB_RUN_ID"):
        server = env.get("GITHUB_SERVER_URL", "https://github.com")
        return bare_urls(f"{server}/{env.get('GITHUB_REPOSITORY', '')}/actions/runs/{env['GITHUB_RUN_ID']}")
    return bare_urls(env.get(provider.build_url or "", "")) or None


def over(result: RunResult, listener: Listener) -> RunResult:
    """The result with what the listeners say of it. A signal ends waiting for them, not the reports that come after."""
    try:
        return replace(result, warnings=(*result.warnings, *listener.over(result)))
    except Interrupted as signal:
        return replace(result, interrupted=result.interrupted or signal.exit_code)
