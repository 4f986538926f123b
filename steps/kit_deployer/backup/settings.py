# SPDX-License-Identifier: MIT
"""The settings of backups. Those of AWS' own tools are asked where ours say nothing.

Credentials that are no keys (roles, profiles, containers, machines) have no settings: `credentials` reads what AWS'
tools read.
"""

from dataclasses import dataclass
from typing import Final, Literal

from kit_core.declare import CommonSettings, setting
from kit_core.secrets import Secret

BACKUPS: Final = "Backups in S3"


@dataclass(frozen=True, kw_only=True)
class BackupSettings(CommonSettings):
    """See the module."""

    backup_enabled: bool = setting(
        False,
        original=True,
        group=BACKUPS,
        help="Keep every applied manifest as `s3://AWS_BUCKET/<cluster>/<kind>/<name>.<format>`. Where that fails, the"
        " run warns and goes on.",
    )
    save_format: Literal["yaml", "json"] = setting(
        "yaml", original=True, group=BACKUPS, help="Format of the kept manifests."
    )
    backup_secrets: bool = setting(
        False,
        group=BACKUPS,
        help="Keep Secrets too, and what else holds values from a secret source; they are left out, and named, without"
        " it.",
    )
    backup_encryption: Literal["AES256", "aws:kms", "none"] = setting(
        "AES256",
        group=BACKUPS,
        help="What the server is asked to encrypt with at rest (`x-amz-server-side-encryption`): its own keys, the"
        " bucket's KMS key, or `none` to leave it to the bucket.",
    )
    aws_bucket: str | None = setting(None, original=True, group=BACKUPS, help="The bucket's name.")
    aws_region: str | None = setting(
        None,
        group=BACKUPS,
        native=("AWS_REGION", "AWS_DEFAULT_REGION"),
        help="The bucket's region.",
        default_text="what the bucket says",
    )
    aws_endpoint_url: str | None = setting(
        None,
        group=BACKUPS,
        native=("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        help="Address of another S3 service than AWS.",
        default_text="AWS",
    )
    aws_access_key_id: str | None = setting(
        None,
        original=True,
        group=BACKUPS,
        help="Key for the bucket. Without it: a role, a profile, or the credentials of the container or the machine.",
    )
    aws_secret_access_key: Secret | None = setting(
        None, original=True, group=BACKUPS, help="Secret key for the bucket."
    )
    aws_session_token: Secret | None = setting(
        None, group=BACKUPS, native=("AWS_SESSION_TOKEN",), help="Token of temporary keys."
    )
