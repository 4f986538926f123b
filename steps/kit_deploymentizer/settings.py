# SPDX-License-Identifier: MIT
"""The settings of kit-deploymentizer, each declared once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kit_core.secrets import Secret
from kit_core.settings import CommonSettings, setting

_REPOSITORY = "The deployments repository"
_LIMITS = "What to render"
_OUTPUT = "What to write"
_TOLD = "What is told on standard output"
_NEW = "What `new` makes"
_SECRETS = "Secrets"
_SERVICE = "Environment service (plugin env-api-client-v3)"
_COMPATIBILITY = "Accepted for compatibility"


@dataclass(frozen=True, kw_only=True)
class DeploymentizerSettings(CommonSettings):
    """Everything that can be set; see `--help`."""

    conf: Path = setting(
        Path("/manifests/kit.yaml"),
        original=True,
        group=_REPOSITORY,
        help="Path of kit.yaml, the file that says where the repository keeps its clusters, settings, templates and"
        " images, and where the output goes.",
    )
    workdir: Path | None = setting(
        None,
        original=True,
        group=_REPOSITORY,
        default_text="the current directory; kit.yaml's own folder where the base files are there and not here",
        help="Folder that the relative paths in kit.yaml begin at.",
    )
    resource: str | None = setting(
        None,
        original=True,
        group=_LIMITS,
        help="Render this one resource only and leave every other file of the output alone.",
    )
    cluster_type: str | None = setting(
        None,
        original=True,
        group=_LIMITS,
        help="Render the clusters of this type (metadata.type) only; not together with CLUSTER_NAME.",
    )
    cluster_name: str | None = setting(
        None,
        original=True,
        group=_LIMITS,
        help="Render the cluster of this name (metadata.name) only; not together with CLUSTER_TYPE.",
    )
    shard: str | None = setting(
        None,
        group=_LIMITS,
        help="Render one part of the clusters, such as `2/5`, so that five parallel jobs make a whole fleet: each"
        " cluster is in exactly one part, and parts differ by one cluster at most. 0/5 is 5/5, for what counts from 0"
        " (an indexed Job of Kubernetes: `--shard $(JOB_COMPLETION_INDEX)/5`). With CLUSTER_TYPE, a part of those"
        " clusters; not together with CLUSTER_NAME. The first part removes what clusters left that are gone.",
    )
    deploy_id: str | None = setting(
        None,
        original=True,
        group=_LIMITS,
        help="Id of this deployment, which templates see as `deployment.id`; needs RESOURCE.",
    )
    fast_rollback: bool = setting(
        False,
        original=True,
        group=_LIMITS,
        help="Templates see it as `deployment.fastRollback`, to keep the running version beside the new one; needs"
        " DEPLOY_ID.",
    )
    commit_id: str | None = setting(
        None,
        group=_LIMITS,
        help="Commit of the service that is to be deployed, which templates see as `gitRef`; with RESOURCE, one of that"
        " resource's images must be built from it.",
    )
    save: bool = setting(
        True,
        original=True,
        group=_OUTPUT,
        help="Write the output; false renders and checks everything and writes nothing.",
    )
    clean: bool = setting(
        True,
        original=True,
        group=_OUTPUT,
        help="Remove manifests of earlier runs that this one did not make, and those of clusters that are gone, once"
        " everything else is written.",
    )
    validate: Literal["error", "warn", "off"] = setting(
        "error",
        group=_OUTPUT,
        default_text="error; malformed text from a Mustache template only warns unless `error` is set",
        help="What unknown keys, malformed or incomplete manifests and objects that exist twice are taken for.",
    )
    openapi: Path | None = setting(
        None,
        group=_OUTPUT,
        help="Path of a cluster's own OpenAPI document: what `kubectl get --raw /openapi/v2` prints, one of those below"
        " /openapi/v3, or a folder of them. Fields in manifests that its API does not know, and values of another type,"
        " are errors then. No cluster is asked.",
    )
    incremental: bool = setting(
        True,
        group=_OUTPUT,
        help="With the output of an earlier run in place, render only what is made from something that changed; the"
        " result is the same. false renders everything anew.",
    )
    config_checksum: bool = setting(
        False,
        group=_OUTPUT,
        help="Annotate each pod template with the checksum of the ConfigMaps and Secrets of its cluster folder that it"
        " refers to, so that a changed value restarts what uses it.",
    )
    format: Literal["text", "json", "markdown"] = setting(
        "text",
        group=_TOLD,
        help="Form of what `diff` (all three), `explain` and `lint` (text, json) write on standard output. Markdown"
        " is cut to the 65,536 characters that a pull request's comment may have.",
    )
    against: str | None = setting(
        None,
        group=_TOLD,
        default_text="HEAD; the output in place where the repository is no git clone",
        help="What `diff` compares with: a git branch, tag or commit, else a folder that holds an earlier output;"
        " `./NAME` is always a folder, and `REF...` where HEAD and REF parted.",
    )
    exit_code: bool = setting(
        False, group=_TOLD, help="`diff` ends with exit code 3 where anything differs, `lint` where it finds anything."
    )
    image: str | None = setting(
        None,
        group=_NEW,
        default_text="registry.example.com/NAME:none, to be replaced",
        help="Image that `new service` begins with, such as registry.example.com/shop/web:1.0; its path becomes the"
        " image_tag.",
    )
    type: str | None = setting(
        None,
        group=_NEW,
        default_text="the only type that there is",
        help="Type of what `new cluster` makes; one that is not there yet is made.",
    )
    codeship_aes_key: Secret | None = setting(
        None,
        original=True,
        group=_SECRETS,
        default_text="codeship.aes in the current directory, beside kit.yaml or in WORKDIR",
        help="Key of encrypted files and values: base64 of 32 bytes.",
    )
    placeholders: bool = setting(
        False,
        group=_SECRETS,
        help="Render external and encrypted values and those of sources as named placeholders: needs no key and asks"
        " nobody, for checks of pull requests. kit-deployer refuses the output.",
    )
    envapi_url: str | None = setting(
        None,
        original=True,
        group=_SERVICE,
        help="Address of the environment service; wins over plugin.options.apiUrl in kit.yaml.",
    )
    envapi_access_token: Secret | None = setting(
        None,
        original=True,
        group=_SERVICE,
        help="Token for the environment service, sent as X-Auth-Token.",
    )
    elroy_url: str | None = setting(
        None, original=True, ignored=True, group=_COMPATIBILITY, help="Of a service of the original's makers."
    )
    elroy_secret: Secret | None = setting(
        None, original=True, ignored=True, group=_COMPATIBILITY, help="Of a service of the original's makers."
    )
    elroy_only: str | None = setting(
        None, original=True, ignored=True, group=_COMPATIBILITY, help="Of a service of the original's makers."
    )
