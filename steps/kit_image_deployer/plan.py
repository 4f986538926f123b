# SPDX-License-Identifier: MIT
"""From what is wanted and the repository as it is at one commit to the commit that would bring it there."""

from collections.abc import Callable, Sequence

from kit_core.errors import InputError
from kit_image_deployer.change import Change, FileEdit, ImageUpdate, Plan
from kit_image_deployer.edit.values import set_value, set_values, values_of
from kit_image_deployer.git import tree
from kit_image_deployer.guard.policy import RECORD, Build, Guard, judge, recorded
from kit_image_deployer.message.commit import SEAL, commit_message
from kit_image_deployer.promote import promoted
from kit_image_deployer.snapshot import File, Snapshot
from kit_image_deployer.target import KIT_FILE, image_file

Sign = Callable[[bytes], bytes]
"""From a commit's content to its armored signature."""


def plan_change(
    snapshot: Snapshot, change: Change, *, sign: Sign | None = None, after: Sequence[bytes] = (), sealed: bool = False
) -> Plan:
    """What the change means for the repository at that commit. Raises `InputError` naming file and key.

    `after` are commits that the new one follows besides, as a merge that takes nothing from them does. A `sealed`
    message names the commit's tree: whoever amends the commit breaks the seal.
    """
    wanted = change.updates or (promoted(snapshot, change.promotion) if change.promotion else ())
    updates = {image_file(snapshot.rule, item.repository, item.branch): item for item in wanted}
    files = snapshot.read(list(updates))
    edits = tuple(_edited(file, updates[file.path], snapshot.rule.key, change.guard) for file in files)
    message = _message(edits, change)
    changed = [
        (file.place, item.edit.after) for file, item in zip(files, edits, strict=True) if item.result == "updated"
    ]
    if not changed:
        return Plan(head=snapshot.head, files=edits, message=message, objects=())
    made = tree.changed(changed)
    if sealed:
        message += f"{SEAL}: {made[-1].sha.decode()}\n"
    commit = tree.commit_object(
        tree=made[-1].sha,
        parent=[*after, snapshot.head.commit],
        author=change.author,
        time=change.time,
        message=message,
        sign=sign,
    )
    return Plan(head=snapshot.head, files=edits, message=message, objects=(*made, commit))


def _edited(file: File, update: ImageUpdate, key: str, guard: Guard | None) -> FileEdit:
    """Nothing for the same image, whoever built it; nothing for what is newer; else the image and its record.

    A record that says nothing of the new image must go: it would hold up later builds, or let older ones through.
    """
    image = set_value(file.content, key, update.image, name=file.path)
    if not image.changes:
        return FileEdit(path=file.path, update=update, edit=image, result="unchanged")
    beside = [name for name in RECORD if name != key]
    found = recorded(values_of(file.content or b"", [key, *beside], name=file.path))
    why = ""
    if guard is not None:
        verdict = judge(guard, found)
        if verdict.superseded:
            return FileEdit(path=file.path, update=update, edit=image, result="superseded", why=verdict.why)
        why = verdict.why
    values = _record(update, guard)
    if key in values:
        raise InputError(
            f"{KIT_FILE} says that images stand under `{key}`, where the build is to be recorded",
            why="KIT_BUILD_NUMBER and KIT_SOURCE_DIR ask for the keys `commit`, `build` and `source` beside the image",
            hint="Leave the two settings out, or choose another images.property.",
            file=KIT_FILE,
        )
    stale = [name for name in found.values() if name in beside and name not in values]
    edit = set_values(file.content, {key: update.image, **values}, remove=stale, name=file.path)
    return FileEdit(path=file.path, update=update, edit=edit, result="updated", why=why)


def _record(update: ImageUpdate, guard: Guard | None) -> dict[str, str]:
    build = update.build if update.build is not None else guard.build if guard is not None else Build()
    return build.values() if build else {}


def _message(files: Sequence[FileEdit], change: Change) -> str:
    changing = [item for item in files if item.result == "updated"] or files
    return commit_message(
        [item.written for item in changing],
        doing=f"Promote {change.promotion.from_branch} to {change.promotion.to_branch}" if change.promotion else None,
        said=change.said,
        origin=change.origin,
        author=change.author,
        render=change.render,
    )
