# SPDX-License-Identifier: MIT
"""What waits for what: `kit-deployer/dependency-selector` on an object names, by labels, what has to be available
before it is applied. Pure.

What matches is looked for in the run; where nothing there matches, on the cluster.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kit_core.errors import InputError
from kit_deployer.desired.annotate import Declared
from kit_deployer.inputs.manifests import wrong_manifest
from kit_deployer.objects import Key, Manifest, annotations_of, labels_of
from kit_deployer.plan.plan import Action
from kit_deployer.selectors import Selector, parse_selector

DEPENDENCY: Final = "kit-deployer/dependency-selector"


@dataclass(frozen=True)
class Dependent:
    """An object that is sent only when others are available: `needs` are those of the run that have to become so.

    `matched` says that the selector matches anything of the run; otherwise the cluster is looked at.
    """

    action: Action
    text: str
    matched: bool = False
    needs: frozenset[Key] = frozenset()


def dependency_of(manifest: Manifest) -> Selector | None:
    """The selector of what an object waits for. Raises `InputError` where it cannot be read."""
    text = annotations_of(manifest.body).get(DEPENDENCY)
    if text is None:
        return None
    try:
        if not text.strip():
            raise ValueError("it is empty, and would match everything")
        return parse_selector(text)
    except ValueError as error:
        raise wrong_manifest(
            manifest.where("metadata", "annotations", DEPENDENCY), f"{manifest}: {DEPENDENCY}: {error}"
        ) from None


def check_dependencies(items: Sequence[Declared]) -> None:
    """Raise `InputError` where a selector cannot be read, or where objects wait for each other in a circle."""
    graph = {
        item.key: _matching(selector, item.key, items)
        for item in items
        if (selector := dependency_of(item.manifest)) is not None
    }
    circle = find_circle(graph)
    if not circle:
        return
    first = next(item for item in items if item.key == circle[0])
    place = first.manifest.where("metadata", "annotations", DEPENDENCY)
    raise InputError(
        "Objects wait for each other",
        where=str(place),
        why=" waits for ".join(map(str, [*circle, circle[0]])),
        hint=f"Change a {DEPENDENCY} so that one of them can be the first. Nothing was touched.",
        file=place.file,
        line=place.line,
    )


def find_circle(graph: Mapping[Key, Collection[Key]]) -> list[Key]:
    """Keys of which each waits for the next and the last for the first; empty where there is no such circle."""
    done: set[Key] = set()
    for start in sorted(graph):
        path: list[Key] = []
        branches = [iter([start])]
        while branches:
            key = next(branches[-1], None)
            if key is None:
                branches.pop()
                if path:
                    done.add(path.pop())
            elif key in path:
                return path[path.index(key) :]
            elif key not in done:
                path.append(key)
                branches.append(iter(sorted(graph.get(key, ()))))
    return []


def find_dependents(actions: Sequence[Action]) -> list[Dependent]:
    """The objects of a plan that are sent and wait for others.

    What is switched last of all (a Service) is waited for as it is now: it may be waiting for the dependent itself.
    """
    items = [action.item for action in actions]
    settled = {
        action.key
        for action in actions
        if (action.waits and action.do != "keep") or (action.live is None and action.do == "keep")
    }
    found = []
    for action in actions:
        selector = None if action.do == "keep" or action.waits else dependency_of(action.item.manifest)
        if selector is not None:
            matching = _matching(selector, action.key, items)
            text = annotations_of(action.item.manifest.body)[DEPENDENCY]
            found.append(Dependent(action, text, bool(matching), frozenset(matching - settled)))
    return found


def in_waves(dependents: Iterable[Dependent]) -> list[list[Dependent]]:
    """The dependents in the order in which they can be sent: each wave needs only what came before it."""
    rest, waves = list(dependents), []
    while rest:
        waiting = {dependent.action.key for dependent in rest}
        wave = [dependent for dependent in rest if not dependent.needs & waiting]
        if not wave:
            raise ValueError("objects wait for each other")  # `check_dependencies` has refused that
        waves.append(wave)
        sent = {dependent.action.key for dependent in wave}
        rest = [dependent for dependent in rest if dependent.action.key not in sent]
    return waves


def _matching(selector: Selector, own: Key, items: Iterable[Declared]) -> set[Key]:
    return {item.key for item in items if item.key != own and selector.matches(labels_of(item.body))}
