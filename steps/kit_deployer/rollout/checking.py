# SPDX-License-Identifier: MIT
"""The dry run: the server checks everything that would be sent, or is only read from; nothing is written.

What the server cannot be asked about is neither passed nor failed: it says why it was not checked, and shows what is
foreseen without the server.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kit_core.errors import KitError
from kit_deployer import parallel
from kit_deployer.desired.annotate import Declared, Writing, stamp
from kit_deployer.diff.foreseen import foresee
from kit_deployer.objects import Json, at
from kit_deployer.plan.plan import Action, Outdated, Plan
from kit_deployer.plan.unasked import ground, unchecked
from kit_deployer.result import Did
from kit_deployer.rollout.applying import Applied
from kit_deployer.rollout.record import Record
from kit_deployer.rollout.refusals import READ_ONLY, refusing_webhook
from kit_deployer.rollout.showing import Differences
from kit_deployer.rollout.survey import NAMESPACE
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.failures import ApiError

_MAY_NOT: Final = re.compile("cannot (patch|create) resource")


@dataclass(frozen=True)
class Check:
    """The dry run of one cluster. `send` has the server check an action; with `read_only` it is never called."""

    cluster: Cluster
    record: Record
    writing: Writing
    differences: Differences
    send: Callable[[Action], Applied]
    read_only: bool

    def run(self, plan: Plan, *, workers: int) -> None:
        """Check everything of the plan; what fails is recorded."""
        for item in plan.namespaces:
            self._namespace(item)
        actions = [action for action in plan.actions if action.do != "keep"]
        few = ground(plan)
        parallel.each(lambda action: self._one(action, plan, few), actions, workers=workers, name=self.cluster.name)
        for gone in plan.outdated:
            self._deletion(gone)

    def _namespace(self, item: Declared) -> None:
        try:
            if not self.read_only:
                self.cluster.create(NAMESPACE, item.body, dry_run=True)
        except ApiError as error:
            self.record.fail(_with_another_way(error), item.key)
            return
        diff, why = self.differences.creation(item), READ_ONLY if self.read_only else ""
        self.record.done(item.key, "created", tell=False, diff=diff, unchecked=why)

    def _one(self, action: Action, plan: Plan, few: Plan) -> None:
        why = READ_ONLY if self.read_only else unchecked(action, few)
        body = stamp(action.item, self.writing)
        if why:
            self._foreseen(action, body, why)
            return
        try:
            applied = self.send(action)
        except KitError as error:
            why = refusing_webhook(error.__cause__) or _made_by_the_run(error.__cause__, action, plan)
            if why:
                self._foreseen(action, body, why)
            else:
                self.record.fail(_with_another_way(error), action.key)
            return
        action, result = applied.action, applied.result
        diff = self.differences.change(action, result)
        self.record.done(action.key, _did(action), action.why, tell=False, diff=diff)

    def _foreseen(self, action: Action, body: Json, why: str) -> None:
        """What will come of it as far as that is known without the server."""
        live = None if action.do == "rerun" else action.live
        result = foresee(body, live, action.managed_fields) if self.differences.wanted else body
        diff = self.differences.change(action, result)
        self.record.done(action.key, _did(action), action.why, tell=False, diff=diff, unchecked=why)

    def _deletion(self, gone: Outdated) -> None:
        diff = self.differences.deletion(gone)
        self.record.done(gone.key, "deleted", gone.why, tell=False, diff=diff)


def _did(action: Action) -> Did:
    return "created" if action.do == "create" else "changed"


def _made_by_the_run(error: BaseException | None, action: Action, plan: Plan) -> str:
    """Why the server refuses what it will take in the run: because that brings first what the refusal is about."""
    if not isinstance(error, ApiError) or error.status not in {400, 403, 404}:
        return ""
    missing = (str(at(error.details, "kind") or ""), str(at(error.details, "name") or ""))
    for other in plan.actions:
        key = other.key
        if other.do == "keep" or key == action.key or key.namespace not in {"", action.key.namespace}:
            continue
        plural = f"{key.kind.lower()}s"
        if error.status == 404 and other.do == "create" and missing == (plural, key.name):
            return f"{key} is only created by the run"
        if key.kind == "ResourceQuota" and f"exceeded quota: {key.name}," in error.message:
            return f"{key} is changed by the run, and what is there now refuses it"
        words = {"ServiceAccount": "serviceaccount", "PriorityClass": "PriorityClass"}.get(key.kind)
        if words and other.do == "create" and words in error.message and f"{key.name}" in error.message:
            return f"{key} is only created by the run"
    return ""


def _with_another_way(error: KitError) -> KitError:
    """The refusal; where the account may not write, with the dry run that does not ask to."""
    cause = error if isinstance(error, ApiError) else error.__cause__
    if isinstance(cause, ApiError) and cause.status == 403 and _MAY_NOT.search(cause.message):
        error.hint = f"{error.hint or ''} DRY_RUN=read looks without any right to write.".strip()
    return error
