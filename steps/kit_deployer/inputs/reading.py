# SPDX-License-Identifier: MIT
"""Everything that one cluster's rollout reads from files, read and checked before any cluster is touched."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kit_core.console import Console
from kit_deployer.desired.annotate import Writing, declare
from kit_deployer.health.asked import check_asked
from kit_deployer.inputs import lint
from kit_deployer.inputs.annotations import without_effect
from kit_deployer.inputs.index import Index, read_index
from kit_deployer.inputs.manifests import load_folder, refuse_duplicates, wrong_manifest
from kit_deployer.inputs.targets import Target
from kit_deployer.objects import Key, Manifest, at, labels_of
from kit_deployer.plan.dependencies import check_dependencies
from kit_deployer.plan.replacing import check_replace
from kit_deployer.selectors import Selector


@dataclass(frozen=True)
class Inputs:
    """One target's manifests and namespaces. `commit` is what they were rendered from, as far as it is known."""

    target: Target
    manifests: tuple[Manifest, ...]
    namespaces: tuple[Manifest, ...]
    commit: str | None
    index: Index
    selector: Selector | None = None

    def chosen(self, manifest: Manifest) -> bool:
        """Whether this run deploys the object (the whole folder decides what is a leftover)."""
        return self.selector is None or self.selector.matches(labels_of(manifest.body))

    def secrets_of(self, manifest: Manifest) -> tuple[str, ...]:
        """The JSON pointers of values that came from a secret source, by the render's index."""
        if not self.index.secrets:
            return ()
        file = Path(manifest.place.file)
        if not file.is_relative_to(self.target.manifests):
            return ()
        return self.index.secrets.get(file.relative_to(self.target.manifests).as_posix(), ())


def read_inputs(
    targets: Iterable[Target],
    *,
    manifests_dir: Path,
    writing: Writing,
    selector: Selector | None,
    console: Console,
) -> list[Inputs]:
    """Read all folders. Raises `InputError` before anything is touched when one of them is wrong.

    `writing` is what the run writes on objects: a manifest must leave it room.
    """
    found = []
    for target in targets:
        index = read_index(manifests_dir, target.name, resource=writing.resource) or Index()
        if index.left_out:
            names = ", ".join(index.left_out)
            console.warning(f"rendered without {names}, which failed and may (allowFailure)", cluster=target.name)
        folder = load_folder(target.manifests)
        namespaces = load_folder(target.namespaces)
        for place, text in [*folder.warnings, *namespaces.warnings]:
            console.warning(f"{place}: {text}", cluster=target.name, file=place.file, line=place.line)
        for manifest in namespaces.manifests:
            if manifest.body["kind"] != "Namespace" or manifest.group_kind.group:
                raise wrong_manifest(manifest.place, f"{manifest} is no Namespace, and NAMESPACES_DIR holds only those")
        if folder.files and not folder.manifests:
            console.warning(f"folder {target.manifests} holds files, and no object in any of them", cluster=target.name)
        lint.check(folder.manifests)
        refuse_duplicates(folder.manifests, target.namespace)
        for manifest in folder.manifests:
            check_replace(manifest)
            for place, text in without_effect(manifest):
                console.warning(f"{place}: {text}", cluster=target.name, file=place.file, line=place.line)
        keyed = [(_likely_key(manifest, target.namespace), manifest) for manifest in folder.manifests]
        check_dependencies(declare(keyed, writing))
        check_asked(folder.manifests)
        found.append(
            Inputs(
                target=target,
                manifests=tuple(folder.manifests),
                namespaces=tuple(namespaces.manifests),
                commit=writing.commit or index.commit,
                index=index,
                selector=selector,
            )
        )
    return found


def _likely_key(manifest: Manifest, namespace: str) -> Key:
    """The object's key as far as it is known without the cluster, which alone knows what lives in no namespace."""
    kind = manifest.group_kind
    return Key(kind.group, kind.kind, at(manifest.body, "metadata", "namespace") or namespace, manifest.name)
