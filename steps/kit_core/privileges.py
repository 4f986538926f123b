# SPDX-License-Identifier: MIT
"""Giving up root's privileges for good: the system calls of it, thin. Linux only, and only for a process with one
thread.
"""

import contextlib
import ctypes
import os
import stat
from pathlib import Path
from typing import Final

from kit_core.mounts import Identity

# linux/prctl.h and linux/capability.h
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_CAPABILITY_VERSION_3: Final = 0x20080522
_CAP_SETGID: Final = 6
_CAP_SETUID: Final = 7
_CAP_SETPCAP: Final = 8
_LAST_CAPABILITY: Final = 40
"""CAP_CHECKPOINT_RESTORE, the last one known; asked of the kernel where it tells."""


def become(identity: Identity) -> None:
    """Turn this process into `identity`, without any capability and without a way to get one back.

    Where the container was started without the right to change users, it stays root in name only. Raises OSError
    where the kernel refuses what it always allows.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    held = _effective()
    if held >> _CAP_SETPCAP & 1:
        for number in range(_last_capability() + 1):
            _call(libc.prctl, _PR_CAPBSET_DROP, number, 0, 0, 0)
    if identity.uid == 0 and identity.groups and held >> _CAP_SETGID & 1:
        with contextlib.suppress(OSError):
            os.setgroups(sorted({*os.getgroups(), *identity.groups}))
    if identity.uid != 0 and held >> _CAP_SETGID & 1 and held >> _CAP_SETUID & 1:
        _hand_over_streams(identity.uid)
        with contextlib.suppress(OSError):  # a user namespace may know no other user than root
            os.setgroups(sorted({*os.getgroups()} - {0} | {*identity.groups}))
            os.setresgid(identity.gid, identity.gid, identity.gid)
            os.setresuid(identity.uid, identity.uid, identity.uid)
    _call(libc.prctl, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _call(libc.capset, ctypes.byref(header), ctypes.byref(nothing))
    _call(libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _hand_over_streams(uid: int) -> None:
    """Give the standard streams away, as the container's runtime does for a user that it is told of: somebody else's
    pipes and terminals cannot be opened again (`> /dev/stderr`).
    """
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISFIFO(mode) or os.isatty(descriptor):
                os.fchown(descriptor, uid, -1)


def privileged() -> bool:
    """Whether this process is root and has not given up everything yet."""
    return os.geteuid() == 0 and (_effective() != 0 or _status("NoNewPrivs") != "1")


def _effective() -> int:
    return int(_status("CapEff") or "0", 16)


def _status(name: str, source: Path = Path("/proc/self/status")) -> str:
    for line in source.read_text("ascii", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return value.strip()
    return ""


def _last_capability(source: Path = Path("/proc/sys/kernel/cap_last_cap")) -> int:
    try:
        return int(source.read_text("ascii"))
    except (OSError, ValueError):
        return _LAST_CAPABILITY


def _call(function: "ctypes._NamedFuncPointer", *arguments: object) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
