# SPDX-License-Identifier: MIT
"""Files in the later forms of CodeShip's jet, whose layout is not public: its own program must read them.

jet takes paths only. It gets those of files in memory, so that neither the key nor the plaintext reaches a disk.
A `jet` that is kit-pipeline under jet's name is passed over, and one that calls it is noticed: it would ask itself.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from kit_core.keys import DecryptError, Key
from kit_core.memory import in_memory

_SECONDS: Final = 60
_LONGEST: Final = 300
_ASKED: Final = "JET_ASKED_BY_KIT"
"""Set for the `jet` that is asked: where it is set already, that was us."""
_HINT: Final = (
    "Put a `jet` that knows it on PATH, or decrypt it where one is (`jet decrypt IN OUT`) and encrypt it anew as"
    " kit:v1; what cannot be had any more must be replaced."
)


def decrypt_with_jet(data: bytes, key: Key, *, name: str, form: str) -> bytes:
    """The plaintext of `data` as `jet decrypt` gives it. Raises `DecryptError` where no jet is found, or it fails."""
    what = f"{name} cannot be decrypted"
    if os.environ.get(_ASKED):
        raise DecryptError(what, why="the `jet` on PATH is kit itself, which does not know the form", hint=_HINT)
    program = _jet(os.environ)
    if program is None or not hasattr(os, "memfd_create"):
        raise DecryptError(what, why=f"it is in the form {form}, which is not public", hint=_HINT)
    with ExitStack() as stack:
        key_file = stack.enter_context(in_memory(key.text.encode()))
        source, target = stack.enter_context(in_memory(data)), stack.enter_context(in_memory(b""))
        paths = [f"/proc/self/fd/{number}" for number in (key_file, source, target)]
        command = [program, "decrypt", "--key-path", *paths]
        try:
            done = subprocess.run(command, pass_fds=(key_file, source, target), stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=_SECONDS, check=False,
                                  env={**os.environ, _ASKED: "true"})  # fmt: skip
        except subprocess.TimeoutExpired:
            raise DecryptError(what, why=f"{program} did not end within {_SECONDS} s", hint=_HINT) from None
        except OSError as error:
            raise DecryptError(what, why=f"{program} cannot be started ({error.strerror})", hint=_HINT) from None
        if done.returncode:
            words = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            said = f": {words[-_LONGEST:]}" if words else ""
            raise DecryptError(what, why=f"{program} ended with exit code {done.returncode}{said}",
                               hint=f"Check that {key.origin} is the key it was encrypted with.")  # fmt: skip
        os.lseek(target, 0, os.SEEK_SET)
        with os.fdopen(os.dup(target), "rb") as file:
            return file.read()


def _jet(env: Mapping[str, str]) -> str | None:
    """The first `jet` on PATH that is not ourselves."""
    ourselves = os.path.realpath(sys.argv[0])
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        program = shutil.which("jet", path=folder) if folder else None
        if program is None:
            continue
        meant = os.path.realpath(program)
        if meant != ourselves and not Path(meant).name.startswith("kit-pipeline"):
            return program
    return None
