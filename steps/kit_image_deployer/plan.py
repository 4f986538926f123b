# SPDX-License-Identifier: MIT
"""From what is wanted and the repository as it is at one commit to the commit that would bring it there."""

from collections.abc import Callable, Sequence

from kit_core.errors import InputError
from kit_image_deployer import tree
from kit_image_deployer.change import Change, FileEdit, ImageUpdate, Plan
from kit_image_deployer.edit import set_value
from kit_image_deployer.message import commit_message
from kit_image_deployer.snapshot import File, Snapshot
from kit_image_deployer.target import image_file

Sign = Callable[[bytes], bytes]
"""From a commit's content to its armored signature."""


def plan_change(snapshot: Snapshot, change: Change, *, sign: Sign | None = None) -> Plan:
    """What the change means for the repository at that commit. Raises `InputError` naming file and key."""
    updates = by_path(snapshot, change.updates)
    files = snapshot.read(list(updates))
    edits = tuple(_edited(file, updates[file.path], snapshot.rule.key) for file in files)
    message = _message(edits, change)
    changed = [(file.place, item.edit.after) for file, item in zip(files, edits, strict=True) if item.edit.changes]
    if not changed:
        return Plan(head=snapshot.head, files=edits, message=message, objects=())
    made = tree.changed(changed)
    commit = tree.commit_object(
        tree=made[-1].sha,
        parent=snapshot.head.commit,
        author=change.author,
        time=change.time,
        message=message,
        sign=sign,
    )
    return Plan(head=snapshot.head, files=edits, message=message, objects=(*made, commit))


def by_path(snapshot: Snapshot, updates: Sequence[ImageUpdate]) -> dict[str, ImageUpdate]:
    """The updates by the file that each writes. Raises `InputError` where two want different images in one file."""
    found: dict[str, ImageUpdate] = {}
    for update in updates:
        path = image_file(snapshot.rule, update.repository, update.branch)
        other = found.setdefault(path, update)
        if other.image != update.image:
            raise InputError(
                f"two images are to be written into {path}",
                why=f"{other.image} and {update.image}",
                hint="Name one of them; nothing was changed.",
            )
    return found


def _edited(file: File, update: ImageUpdate, key: str) -> FileEdit:
    edit = set_value(file.content, key, update.image, name=file.path)
    return FileEdit(path=file.path, update=update, edit=edit, result="updated" if edit.changes else "unchanged")


def _message(files: Sequence[FileEdit], change: Change) -> str:
    changing = [item for item in files if item.result == "updated"] or files
    return commit_message(
        [item.written for item in changing],
        said=change.said,
        origin=change.origin,
        author=change.author,
        render=change.render,
    )
