# SPDX-License-Identifier: MIT
"""The commit message: what the service's commit said, made harmless here, and the trailers of the audit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from kit_image_deployer.image import is_reference
from kit_image_deployer.message.defuse import defused, one_line

Render = Callable[[Mapping[str, Any]], str]
"""From the values of `template.VARIABLES` to a message."""

SEAL: Final = "Kit-Tree"
"""The trailer that names the commit's own tree, where it must be known later whose the commit is."""
_IMAGES: Final = ("Kit-Image", "Kit-Previous-Image")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a change comes from, as far as it is known: for the trailers of the commit."""

    source_commit: str | None = None
    build: str | None = None
    build_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Written:
    """A file that the commit changes: its path, the new image, the one it had, and whose it is."""

    path: str
    image: str
    previous: str | None
    repository: str = ""
    branch: str = ""


def commit_message(
    files: Sequence[Written],
    *,
    doing: str | None = None,
    said: str | None = None,
    origin: Origin | None = None,
    author: str = "",
    render: Render | None = None,
) -> str:
    """The whole message, ending in a newline: what the service's commit `said` (else what is done), then trailers.

    `doing` is a subject for what is done, where there is one better than "Deploy". Several files are listed in the
    message; each has a trailer `Kit-Image`, with its `Kit-Previous-Image` below it. A template's `render` takes the
    place of all but the trailers, and may use `author`. Raises `InputError` where it cannot.
    """
    origin = origin or Origin()
    said = defused(said or "").strip()
    if render is not None:
        parts = [defused(render(_values(files, said, origin, author))).strip() or deploying(files)]
    else:
        parts = [said or defused(doing or "") or deploying(files)]
        if len(files) > 1 or (doing and not said):
            parts.append("\n".join(f"- {defused(item.path)}: {item.image}" for item in files))
        elif not said:
            parts.append(f"In {defused(files[0].path)}.")
    trailers = [
        trailer for item in files for trailer in (("Kit-Image", item.image), ("Kit-Previous-Image", item.previous))
    ]
    trailers += [
        ("Kit-Source-Commit", origin.source_commit),
        ("Kit-Build", origin.build),
        ("Kit-Build-Url", origin.build_url),
    ]
    # An image's reference cannot act, and must stay as it is; what a file held before may be anything.
    told = [
        (name, value if name in _IMAGES and is_reference(value) else defused(value))
        for name, value in trailers
        if value
    ]
    parts.append("\n".join(f"{name}: {line}" for name, value in told if (line := one_line(value))))
    return "\n\n".join(parts) + "\n"


def deploying(files: Sequence[Written]) -> str:
    """What is done, in a line."""
    return f"Deploy {len(files)} images" if len(files) > 1 else f"Deploy {files[0].image}"


def _values(files: Sequence[Written], said: str, origin: Origin, author: str) -> dict[str, Any]:
    return {
        **asdict(files[0]),
        "files": [asdict(item) for item in files],
        **asdict(origin),
        "message": said,
        "author": author,
    }
