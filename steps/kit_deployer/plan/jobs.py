# SPDX-License-Identifier: MIT
"""Whether a Job runs: once for each content, again where it failed. Pure."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from kit_deployer.desired.annotate import Declared, configuration, configuration_sha1
from kit_deployer.health.pods import condition
from kit_deployer.objects import (
    LAST_APPLIED_SHA1,
    ORIGINAL_NAME,
    RUN,
    GroupKind,
    Json,
    annotations_of,
    key_of,
)
from kit_deployer.plan.inventory import Inventory

JOB: Final = GroupKind("batch", "Job")

Run: TypeAlias = Literal["create", "rerun", "keep"]
JobState: TypeAlias = Literal["same", "completed", "running"]


def decide_job(
    item: Declared, live: Json | None, others: Iterable[Json], inventory: Inventory | None, *, force: bool
) -> tuple[Run, str, JobState]:
    """What is done with a Job, why, and its state where it is kept. `others` are the live objects of the run."""
    anew = force or annotations_of(item.manifest.body).get(RUN) == "always"
    if live is None:
        if anew:
            return "create", "", "same"
        if inventory is not None and inventory.completed(item.key):
            return "keep", "completed by an earlier run", "completed"
        name = next((key_of(other).name for other in others if _completed_by_the_original(other, item)), "")
        return ("keep", f"completed as {name}", "completed") if name else ("create", "", "same")
    if condition(live, "Complete") == "True":
        if anew:
            return "rerun", "FORCE" if force else f"{RUN}: always", "same"
        return "keep", "completed by an earlier run", "completed"
    if condition(live, "Failed") == "True":
        return "rerun", "its last run failed", "same"
    return "keep", "still running", "running"


def has_completed(live: Json) -> bool:
    """Whether this is a Job, and completed."""
    return live["kind"] == JOB.kind and condition(live, "Complete") == "True"


def is_going(live: Json) -> bool:
    """Whether an object is being deleted."""
    return "deletionTimestamp" in live["metadata"]


def _completed_by_the_original(live: Json, item: Declared) -> bool:
    """Whether this is what the original made of the same content: the name's end is another hash."""
    key, annotations = key_of(live), annotations_of(live)
    return (
        key.group_kind == JOB
        and key.namespace == item.key.namespace
        and annotations.get(ORIGINAL_NAME) == item.original_name
        and annotations.get(LAST_APPLIED_SHA1) == configuration_sha1(configuration(item.manifest))
        and condition(live, "Complete") == "True"
    )
