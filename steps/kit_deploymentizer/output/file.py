# SPDX-License-Identifier: MIT
"""One file of the output, as a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kit_deploymentizer.inputs.secret_values import SecretValue
from kit_deploymentizer.output.stamps import Stamp


@dataclass(frozen=True)
class Output:
    """One file to be written: its path below the cluster's folder, its bytes, and where they come from.

    `template` is the file it was made from, as shown; `inputs` every file that had a say, the cluster's own first;
    `secrets` the values from outside the repository that its view held, `pointers` where they are; `objects` who they
    are that are in it (the parts of an `Identity`), where it was looked into. A `kept` one is there as it would be made
    (`reuse`): its content is not held, only where it is.
    """

    path: str
    content: bytes
    resource: str
    template: str
    inputs: tuple[str, ...]
    secrets: tuple[SecretValue, ...] = ()
    pointers: tuple[str, ...] = ()
    objects: Sequence[Sequence[str]] = ()
    kept: "Kept | None" = None

    def read(self) -> bytes:
        """The file's bytes, wherever they are. Raises `OSError`."""
        return Path(self.kept.place).read_bytes() if self.kept else self.content


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is there already: where, its digest, and when it was last touched (`stamps`)."""

    place: str
    sha256: str
    stamp: Stamp
