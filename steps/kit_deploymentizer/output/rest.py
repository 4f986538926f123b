# SPDX-License-Identifier: MIT
"""A cluster of which all is known without looking closely: what is as the run before left it is only named."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kit_deploymentizer.output.file import Output
from kit_deploymentizer.output.stamps import Stamp

Kept = Mapping[str, tuple[str, tuple[Output, ...]]]
"""By resource, what it was made from and its files."""


@dataclass(frozen=True, slots=True)
class Former:
    """A file of a resource that is rendered again, as the index has it."""

    facts: Mapping[str, Any]
    objects: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """The files of a cluster that stay as they are: all but those of `dirty` resources, which were `former`.

    `names` are all files that the index knows, `mark` is their folder's (`stamps`), `stamps` theirs where some are
    rendered again. `key` is what all was made from, beside the files with these `digests`, of which those in `changed`
    held something else before. `raw` is the index then; `others` reads from it what stays.
    """

    names: tuple[str, ...]
    mark: str
    key: str
    digests: Mapping[str, str]
    changed: frozenset[str] = frozenset()
    dirty: frozenset[str] = frozenset()
    former: Mapping[str, Former] = field(default_factory=dict)
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    raw: bytes = field(default=b"", repr=False)
    others: Callable[[], Kept] = dict

    def fits(self, outputs: Mapping[str, Output], common: int) -> bool:
        """Whether these, of dirty resources, are the same files made from the same ones as before. The first `common`
        of their inputs are the cluster's."""
        return outputs.keys() == self.former.keys() and all(
            self.former[path].facts.get("resource") == output.resource
            and self.former[path].facts.get("inputs") == list(output.inputs[common:])
            for path, output in outputs.items()
        )

    def holds(self, objects: Mapping[str, tuple[tuple[str, ...], ...]]) -> bool:
        """Whether the files hold the same objects as before."""
        return all(self.former[path].objects == found for path, found in objects.items())
