# SPDX-License-Identifier: MIT
"""The process that the images' init starts: gives up root, then is the step's program or makes way for another one.

An image's `entrypoint` names its step and the folders in which that step may be told to work; `run` does the rest:
`mounts` says who to become, `privileges` does it, then the first argument decides between the step and a foreign
command. The same program serves a shell in the container, where all of it happens again (and changes nothing any
more).
"""

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from kit_core.mounts import Folder, Identity, Needed, able, choose_identity, folders_told, parse_mounts, places

__all__ = ["Folder", "Needed", "run"]

Needs = Callable[[Mapping[str, str]], Sequence[Needed]]
"""The files that a step cannot do without, by the environment."""

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # as shells have it


def run(package: str, folders: Sequence[Folder], needs: Needs = lambda _: ()) -> NoReturn:
    """Run as an image's entrypoint on the real arguments, environment and user; does not return.

    `package` is the step's (`kit_deployer`): its `cli` has `STEP` and `main`. Whoever root becomes can use what the
    step `needs`, which therefore has a say in who that is.
    """
    arguments = sys.argv[1:]
    if os.geteuid() == 0:
        _give_up_root(folders, arguments, needs)
    os.environ["HOME"] = home(os.environ, _is_writable, _mount_points())
    if arguments and not arguments[0].startswith("-"):
        step = import_module(f"{package}.cli").STEP
        if not is_ours(arguments, [command.name for command in step.commands]):
            _make_way(arguments, os.environ, step.name, [command.name for command in step.commands])
    sys.exit(import_module(f"{package}.cli").main())


def is_ours(arguments: Sequence[str], commands: Sequence[str]) -> bool:
    """Whether the step is meant: nothing said, an option, or one of its commands. Anything else is a foreign
    program.
    """
    return not arguments or arguments[0].startswith("-") or arguments[0] in commands


def home(env: Mapping[str, str], writable: Callable[[str], bool], mounts: Sequence[str]) -> str:
    """The HOME to go on with: the present one where it can be used (written to, or something is mounted in it),
    else /tmp.
    """
    present = env.get("HOME", "")
    inside = any(point == present or point.startswith(present.rstrip("/") + "/") for point in mounts)
    return present if present not in {"", "/"} and (inside or writable(present)) else "/tmp"  # noqa: S108


def _give_up_root(folders: Sequence[Folder], arguments: Sequence[str], needs: Needs) -> None:
    from kit_core.privileges import become, privileged

    try:
        if privileged():
            become(_identity(folders, arguments, needs(os.environ)))
    except OSError as error:
        _say(f"root's privileges cannot be given up: {error.strerror}; start the container with `--user`")
        sys.exit(_NOT_EXECUTABLE)


def _identity(folders: Sequence[Folder], arguments: Sequence[str], needed: Sequence[Needed]) -> Identity:
    mounts = parse_mounts(_mountinfo())
    told = [os.path.realpath(path) for path in folders_told(folders, arguments, os.environ, _cwd())]
    others = places([item.point for item in mounts], mounts, os.stat)
    identity = choose_identity(places(told, mounts, os.stat), others)
    for file in needed:
        with contextlib.suppress(OSError):
            identity = able(identity, file.access, os.stat(file.path))  # noqa: PTH116 - text
    return identity


def _make_way(arguments: Sequence[str], env: MutableMapping[str, str], step: str, commands: Sequence[str]) -> NoReturn:
    """Become the foreign program, as `exec "$@"` would."""
    program = arguments[0]
    try:
        os.execvpe(program, list(arguments), env)  # noqa: S606 - this is what it is for
    except FileNotFoundError:
        known = ", ".join(commands)
        _say(f"{program!r} is neither a command of {step} ({known}) nor a program in this image; see `{step} --help`")
        sys.exit(_NOT_FOUND)
    except (OSError, ValueError) as error:
        _say(f"{program!r} cannot be run: {getattr(error, 'strerror', None) or error}")
        sys.exit(_NOT_EXECUTABLE)


def _say(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)  # noqa: T201 - there is no console yet


def _mountinfo() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text("utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _mount_points() -> list[str]:
    return [mount.point for mount in parse_mounts(_mountinfo())]


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - text
    except OSError:
        return "/"


def _is_writable(path: str) -> bool:
    return os.access(path, os.W_OK | os.X_OK)
