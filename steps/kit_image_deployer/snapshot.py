# SPDX-License-Identifier: MIT
"""The deployments repository at one commit: what kit.yaml says about images, and files read in few requests."""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from kit_core.errors import InputError
from kit_core.yamlio import load_document
from kit_image_deployer.git import tree
from kit_image_deployer.git.repository import Head, Remote
from kit_image_deployer.target import KIT_FILE, ImagesRule, images_rule

_USUAL_FOLDER: Final = b"images"
_LARGEST_KIT_FILE: Final = 256 * 1024


@dataclass(frozen=True)
class File:
    """A file's place, and its content (None where there is no such file)."""

    path: str
    place: tree.Path
    content: bytes | None


class Snapshot:
    """Reads of `remote` what an edit at `head` needs, and nothing else."""

    def __init__(self, remote: Remote, head: Head) -> None:
        self.head = head
        self._remote = remote
        self._root = tree.root_of(remote.checkout(head.commit))

    @cached_property
    def rule(self) -> ImagesRule:
        """Folder and property of the images. Raises `InputError` where kit.yaml is missing or wrong."""
        # Where the images are is only known once kit.yaml is read; most say `images`, and a round trip is saved.
        top = tree.parsed(self._remote.load(self._root))
        likely = [top[name] for name in (KIT_FILE.encode(), _USUAL_FOLDER) if name in top]
        self._remote.prefetch([sha for mode, sha in likely if stat.S_ISREG(mode) or stat.S_ISDIR(mode)])
        return images_rule(self._kit_file())

    def read(self, paths: Sequence[str]) -> list[File]:
        """The files at `paths`. Raises `InputError` where something else than a file stands there."""
        places = tree.find_all(self._remote.load, self._remote.prefetch, self._root, paths)
        self._remote.prefetch({place.blob for place in places if place.blob is not None})
        return [
            File(path, place, self._remote.load(place.blob) if place.blob is not None else None)
            for path, place in zip(paths, places, strict=True)
        ]

    def image_files(self) -> list[str]:
        """The paths of all YAML files below the images' folder, as seen from it."""
        folder = "/".join(self.rule.folder)
        return tree.files_below(self._remote.load, self._remote.prefetch, self._root, folder, ending=".yaml")

    def _kit_file(self) -> object:
        content = self.read([KIT_FILE])[0].content
        if content is None:
            raise InputError(
                f"{KIT_FILE} is missing",
                where=self._remote.where,
                hint="The deployments repository needs one with `images: {path: images, property: image}`, in its"
                " root.",
            )
        if len(content) > _LARGEST_KIT_FILE:
            raise InputError(
                f"{KIT_FILE} has {len(content):,} bytes, and {_LARGEST_KIT_FILE:,} are the most that is read",
                where=self._remote.where,
                hint="It holds a few settings; look what the file is.",
                file=KIT_FILE,
            )
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            hint = "Save it as UTF-8; nothing was changed."
            raise InputError(
                f"{KIT_FILE} is not UTF-8 text", where=self._remote.where, hint=hint, file=KIT_FILE
            ) from None
        return load_document(text, name=KIT_FILE).value
