# SPDX-License-Identifier: MIT
"""What a server's refusal means for a person: the manifest it is about, why, what to do, and no secret. Pure."""

import base64
import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from kit_core.errors import KitError, WorkError
from kit_core.secrets import Masker
from kit_deployer.objects import SECRET, Json, at, at_pointer, listed
from kit_deployer.plan.plan import Action
from kit_deployer.plan.replacing import changed_fields, is_immutable, why_not
from kit_deployer.server.failures import ApiError, is_unfit

READ_ONLY: Final = "DRY_RUN=read asks the servers for nothing but what is there"
_REFUSES: Final = re.compile(r'admission webhook "([^"]*)" does not support dry run')
_MANAGER: Final = re.compile(r'conflict with "([^"]*)"')
_NAMED: Final = 5


def refusing_webhook(error: BaseException | None) -> str:
    """Why a dry run was not possible, where a webhook with side effects refused it; else nothing."""
    found = _REFUSES.search(error.message) if isinstance(error, ApiError) else None
    return f"the admission webhook {found[1]} does not take dry runs" if found else ""


def explained(error: ApiError, action: Action, cluster: str, secrets: Iterable[str] = ()) -> KitError:
    """The server's refusal with the manifest it is about, and what to do.

    `secrets` are JSON pointers of values in the manifest that no message may show.
    """
    place = action.item.manifest.place
    return WorkError(
        f"{action.key} was refused by the server",
        where=f"{cluster}: {place}",
        why=_reason(error, action, secrets),
        hint=_hint(error, action, cluster),
        file=place.file,
        line=place.line,
    )


def _reason(error: ApiError, action: Action, secrets: Iterable[str]) -> str:
    fields = conflicts(error)
    if fields:
        shown = [f"{path} is {manager}'s" for manager, path in fields[:_NAMED]]
        more = [f"and {len(fields) - _NAMED} more"] if len(fields) > _NAMED else []
        return f"KIT_CONFLICTS=fail, and {', '.join([*shown, *more])}"
    reason = without_secrets(error.message, action, secrets)
    if error.status == 422 and is_immutable(error.message) and action.live is not None:
        changed = changed_fields(action.item.body, action.live, listed(error.details, "causes"))
        reason = f"{changed} cannot be changed in place ({reason})" if changed else reason
    return reason


def _hint(error: ApiError, action: Action, cluster: str) -> str | None:
    if conflicts(error):
        return "Leave the field out of the manifest, have its manager let go of it, or deploy with KIT_CONFLICTS=force."
    if error.status == 404 and at(error.details, "kind") == "namespaces":
        return f"Put a manifest of the namespace into NAMESPACES_DIR/{cluster}/ (created first), or correct its name."
    if "is being terminated" in error.message:
        return f"Wait until the namespace is gone; a manifest of it in NAMESPACES_DIR/{cluster}/ makes it anew."
    if error.status == 422 and is_immutable(error.message) and action.live is not None:
        hint = why_not(action.item.manifest, action.key, action.live)
        return hint or "It asks to be replaced, and the manifest is not valid for a new object either: correct it."
    if "exceeded quota" in error.message:
        return "Raise the namespace's ResourceQuota, or ask for less."
    if "failed calling webhook" in error.message:
        return "The admission webhook has to answer: look at its Service and its pods, or at its failurePolicy."
    if error.status in {400, 422} or is_unfit(error.message):
        return f"Correct the manifest ({action.item.manifest.place})."
    return error.hint


def conflicts(error: ApiError) -> list[tuple[str, str]]:
    """The fields (manager, path) that others own and a server-side apply without force would have overwritten."""
    return list(_conflicts(listed(error.details, "causes"))) if error.status == 409 else []


def _conflicts(causes: list[Json]) -> Iterator[tuple[str, str]]:
    for cause in causes:
        manager = _MANAGER.search(str(cause.get("message")))
        if cause.get("reason") == "FieldManagerConflict" and manager:
            yield manager[1], str(cause.get("field") or "").lstrip(".")


def without_secrets(message: str, action: Action, secrets: Iterable[str]) -> str:
    """The server quotes values that it refuses; those of a Secret, or from a secret source, must not be seen."""
    body = action.item.manifest.body
    values = [at_pointer(body, pointer) for pointer in secrets]
    if action.key.group_kind == SECRET:
        values += (action.item.body.get("data") or {}).values()
    masker = Masker()
    for value in values:
        if isinstance(value, (str, int, float)):
            masker.add(str(value))
            with contextlib.suppress(ValueError):
                masker.add(base64.b64decode(str(value)).decode("utf-8"))
    return masker.mask(message)
