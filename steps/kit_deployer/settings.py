# SPDX-License-Identifier: MIT
"""The settings of kit-deployer, each declared once. Names and defaults of the first groups are the original's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kit_core.declare import setting
from kit_core.secrets import Secret
from kit_deployer.backup.settings import BackupSettings
from kit_deployer.compatibility import CompatibleSettings

WHERE: Final = "Where"
WHAT: Final = "What to do"
HEALTH: Final = "Waiting and health"
MARKS: Final = "What is written on objects"
MANY: Final = "Many clusters and their limits"
REPORTS: Final = "Reports"
STATUS: Final = "Status"


@dataclass(frozen=True, kw_only=True)
class DeployerSettings(BackupSettings, CompatibleSettings):
    """See the module."""

    configs: str = setting(
        "/configs/**/kubeconfig{,.yaml,.yml}",
        original=True,
        aliases=("CONFIGS_PATTERN",),
        group=WHERE,
        help="Glob of the kubeconfigs, one a cluster; `**` crosses folders, `{a,b}` gives alternatives.",
    )
    manifests_dir: Path = setting(
        Path("/manifests"),
        original=True,
        group=WHERE,
        help="Folder with one folder of manifests for each cluster, named as the cluster is.",
    )
    namespaces_dir: Path = setting(
        Path("/namespaces"),
        original=True,
        group=WHERE,
        help="Folder with one folder of Namespace manifests a cluster; those that do not exist are created first.",
    )
    require_all: bool = setting(
        False,
        group=WHERE,
        help="A kubeconfig without manifests, or manifests without a kubeconfig, is an error and no longer a warning.",
    )
    codeship_aes_key: Secret | None = setting(
        None,
        original=True,
        group=WHERE,
        default_text="codeship.aes in the current directory, where CONFIGS begins, or beside MANIFESTS_DIR",
        help="Key of encrypted kubeconfigs: base64 of 32 bytes. They are decrypted in memory only.",
    )
    adopt: bool = setting(
        False,
        group=WHERE,
        help="Accept that a kubeconfig leads to another cluster, or to another folder's namespace, than before.",
    )
    dry_run: bool | Literal["read"] = setting(
        True,
        original=True,
        group=WHAT,
        help="Have the servers check everything and say what would be done; nothing is written. `read` only looks: an"
        " account without any right to write is enough, and nothing is checked by the servers.",
    )
    diff: bool = setting(
        False,
        original=True,
        group=WHAT,
        help="Show the difference of live and new objects as unified YAML, secrets masked; of drift and deletions too.",
    )
    strategy: Literal["rolling-update", "fast-rollback"] = setting(
        "rolling-update",
        original=True,
        group=WHAT,
        help="How new versions take over: `rolling-update` replaces a Deployment's pods; `fast-rollback` keeps previous"
        " Deployments beside the new one (named after DEPLOY_ID) and switches Services: going back is instant.",
    )
    force: bool = setting(
        False, original=True, group=WHAT, help="Apply also what did not change, and run completed Jobs again."
    )
    create_only: bool = setting(
        False, original=True, group=WHAT, help="Create what does not exist; leave everything else alone."
    )
    selector: str | None = setting(
        None,
        original=True,
        group=WHAT,
        help="Label selector (`app=web,tier!=cache`) of the manifests to deploy; all of them when it is not set.",
    )
    drift: Literal["warn", "correct", "ignore"] = setting(
        "warn",
        group=WHAT,
        help="What to do where somebody changed a live object although its manifest did not change.",
    )
    conflicts: Literal["force", "fail"] = setting(
        "force",
        group=WHAT,
        help="Where somebody else owns a field that a manifest declares: `force` takes it over; `fail` names manager"
        " and field, and leaves the object alone.",
    )
    freeze: tuple[str, ...] = setting(
        (),
        group=WHAT,
        help="Names of clusters that this run leaves alone, with a line that says so. (Single objects are left out by"
        " the annotation `kit-deployer/freeze`.)",
    )
    raw: bool = setting(
        False,
        original=True,
        group=MARKS,
        help="Deploy manifests as they are: no labels, no selectors, no names and no annotations but the uuid.",
    )
    ci_commit_id: str | None = setting(
        None,
        original=True,
        group=MARKS,
        native=(
            "GITHUB_SHA",
            "CI_COMMIT_SHA",
            "BITBUCKET_COMMIT",
            "CIRCLE_SHA1",
            "TRAVIS_COMMIT",
            "BUILD_SOURCEVERSION",
            "DRONE_COMMIT_SHA",
            "GIT_COMMIT",
        ),
        help="The commit of the deployments repository that is deployed; annotated on objects, kept in the inventory.",
        default_text="what the render's index says",
    )
    deploy_id: str | None = setting(
        None,
        original=True,
        group=MARKS,
        help="Value of the label `id` on every object; with `fast-rollback` also the end of every Deployment's name.",
        default_text="unspecified",
    )
    resource: str | None = setting(
        None,
        original=True,
        group=MARKS,
        help="Value of the labels `resource` and `app.kubernetes.io/name` where a manifest has none.",
    )
    uuid: str | None = setting(
        None, original=True, group=MARKS, help="Value of the annotation `deployment.invision/uuid` on every object."
    )
    available_enabled: bool = setting(
        False,
        original=True,
        group=HEALTH,
        help="Wait until everything is healthy, and fail with the cause where it does not become so.",
    )
    available_timeout: float = setting(
        600,
        original=True,
        unit="s",
        minimum=1,
        group=HEALTH,
        help="How long one object may take to become healthy, from the moment it was applied.",
    )
    available_health_check: bool = setting(
        True,
        original=True,
        group=HEALTH,
        help="Fail as soon as it is clear that an object will not become healthy, not only at its timeout.",
    )
    available_health_check_grace_period: float = setting(
        10,
        original=True,
        unit="s",
        minimum=0,
        group=HEALTH,
        help="The least time that any cause may last before it counts as a failure.",
    )
    available_health_check_threshold: int = setting(
        0, original=True, minimum=0, group=HEALTH, help="How many failing pods of a workload are tolerated."
    )
    available_health_check_ignored_errors: tuple[str, ...] = setting(
        ("Unhealthy", "FailedScheduling"),
        original=True,
        group=HEALTH,
        help="Causes (reasons of Kubernetes' events) that never fail early; they are named at the timeout.",
    )
    dependency_timeout: float = setting(
        600,
        original=True,
        unit="s",
        minimum=0,
        group=HEALTH,
        help="How long an object waits for what its `kit-deployer/dependency-selector` names.",
    )
    dependency_wait: float = setting(
        3,
        original=True,
        unit="s",
        minimum=0,
        group=HEALTH,
        help="Pause between two looks for a dependency that is not there yet; one that is there is watched.",
    )
    log_lines: int = setting(
        25,
        minimum=0,
        maximum=1000,
        group=HEALTH,
        help="How many of the last log lines of a failed container are shown; 0 for none.",
    )
    max_parallel: int = setting(20, minimum=1, group=MANY, help="How many clusters are deployed to at the same time.")
    requests_per_second: float = setting(
        1000,
        minimum=0,
        group=MANY,
        help="How many requests one API server gets in a second at most, over up to 20 connections; 0 for no limit.",
    )
    allow_failure: tuple[str, ...] = setting(
        (),
        group=MANY,
        help="Clusters whose failure is reported and does not make the run fail; as the annotation"
        ' `kit-deployer/allow-failure: "true"` of a kubeconfig\'s metadata does.',
    )
    run_timeout: float = setting(3600, unit="s", minimum=1, group=MANY, help="How long the whole run may take.")
    request_timeout: float = setting(
        30, unit="s", minimum=1, group=MANY, help="How long one request to an API server may take."
    )
    backoff_fail_after: int = setting(
        10,
        original=True,
        minimum=0,
        group=MANY,
        help="How often a request is sent again when the server cannot be reached or is overloaded.",
    )
    backoff_initial_delay: float = setting(
        1000, original=True, unit="ms", minimum=0, group=MANY, help="Pause before the first repetition; it doubles."
    )
    backoff_max_delay: float = setting(
        30000, original=True, unit="ms", minimum=0, group=MANY, help="The longest pause between two repetitions."
    )
    format: Literal["text", "json"] = setting(
        "text", group=STATUS, help="Form of what `status` writes on standard output."
    )
    exit_code: bool = setting(
        False, group=STATUS, help="`status` ends with exit code 3 where anything has drifted or is not healthy."
    )
    report_dir: Path | None = setting(
        None,
        group=REPORTS,
        help="Folder to write `report.json`, `junit.xml`, `report.md` and `report.html` to, also when the run fails.",
    )
    diff_file: Path | None = setting(
        None,
        group=REPORTS,
        help="File to write what changes to, as Markdown for a pull request's comment: with the difference of each"
        " object, secrets masked, the same change in many clusters once.",
    )
    available_webhook: tuple[str, ...] = setting(
        (),
        original=True,
        group=REPORTS,
        help="Addresses that are told, at `<address>/<name>`, when a resource begins and when it is over everywhere.",
    )
    slack_webhook: Secret | None = setting(
        None,
        group=REPORTS,
        help="Slack's incoming webhook for a message when a deploy changed something or failed.",
    )
    is_rollback: bool = setting(
        False,
        original=True,
        group=REPORTS,
        help="Marks a wanted step back, which webhooks are told; older commits are not refused yet.",
    )
