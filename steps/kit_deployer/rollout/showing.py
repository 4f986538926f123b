# SPDX-License-Identifier: MIT
"""The differences that a rollout shows: of what it changes, deletes, or finds drifted, as far as they are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from kit_deployer.desired.annotate import Declared
from kit_deployer.diff.difference import unified
from kit_deployer.inputs.reading import Inputs
from kit_deployer.objects import Json, Key
from kit_deployer.plan.plan import Action, Outdated
from kit_deployer.strategies.model import DEPLOYMENT


@dataclass(frozen=True)
class Differences:
    """Unified YAML, secrets hidden; empty texts where nobody asked for them (`wanted` is false)."""

    inputs: Inputs
    wanted: bool

    def change(self, action: Action, result: Json) -> str:
        """What applying an object does to the live one. `result` is what the server made of it."""
        if not self.wanted:
            return ""
        # A dry run may have asked about it under another name.
        named = {**result, "metadata": {**result["metadata"], "name": action.key.name}}
        manifest = action.item.manifest
        secrets = self.inputs.secrets_of(manifest)
        return unified(action.key, action.live, named, manifest=manifest.body, secrets=secrets)

    def creation(self, item: Declared) -> str:
        """The same for a namespace that is made."""
        return unified(item.key, None, item.body, manifest=item.body) if self.wanted else ""

    def deletion(self, gone: Outdated) -> str:
        """What goes; of a Deployment's ReplicaSets nobody wrote a line."""
        return unified(gone.key, gone.body, None) if self.wanted and gone.key.group_kind == DEPLOYMENT else ""

    def drift(self, actions: Iterable[Action]) -> dict[Key, str]:
        """By key, what applying a drifted object again would change; it is left as it is."""
        return {
            action.key: self.change(action, action.settled)
            for action in actions
            if self.wanted and action.state == "drifted" and action.do == "keep" and action.settled is not None
        }
