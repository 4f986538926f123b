# SPDX-License-Identifier: MIT
"""An editor on a text that no disk holds."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from kit_core.errors import InputError, Interrupted, WorkError
from kit_core.files import refused

_USUAL: Final = ("sensible-editor", "vi", "vim", "nano")
_PATIENCE_SECONDS: Final = 5
_LOOK_SECONDS: Final = 1
"""A signal that arrives in the moment before we begin to wait is noticed after this."""
_VIM: Final = frozenset({"vim", "nvim", "gvim", "vimx", "view"})
_FORGETFUL: Final = ("-n", "-i", "NONE", "-c", "set nobackup noundofile")
"""No swap file, no history of registers, no copies: vim keeps all three in the home folder."""


def editor_command(env: Mapping[str, str]) -> tuple[str, ...]:
    """The words of the command that opens an editor: $VISUAL, else $EDITOR, else one that is there.

    Raises `InputError` where there is none.
    """
    name = next((variable for variable in ("VISUAL", "EDITOR") if env.get(variable, "").strip()), None)
    path = env.get("PATH")
    if name is None:
        found = next((editor for editor in _USUAL if shutil.which(editor, path=path)), None)
        if found is None:
            raise InputError("There is no editor", why="neither VISUAL nor EDITOR is set", hint="Set EDITOR=nano.")
        words = [found]
    else:
        try:
            words = shlex.split(env[name])
        except ValueError as error:
            raise InputError(f"{name} is no command", why=str(error).lower()) from None
    program = shutil.which(words[0], path=path)
    if program is None:
        raise InputError(
            f"The editor {words[0]} is not there",
            why=f"{name or 'EDITOR'} names it, and PATH does not have it",
            hint="Set EDITOR to one that is.",
        )
    vim = Path(program).resolve().name.partition(".")[0] in _VIM
    return (program, *words[1:], *(_FORGETFUL if vim else ()))


def edited(plain: bytes, *, name: str, folder: Path, command: Sequence[str], env: Mapping[str, str]) -> bytes:
    """What an editor makes of `plain`, in a file called `name` in `folder`; its other files go to `folder` as well.

    Raises `WorkError` where the editor fails, or leaves no file. Signals end the editor too, except for SIGINT, which
    is its own.
    """
    path = folder / name
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(plain)
    with _signals():
        code = _run([*command, str(path)], {**env, "TMPDIR": str(folder)})
    if code:
        why = f"it ended with exit code {code}" if code > 0 else f"signal {-code} ended it"
        raise WorkError(f"The editor {command[0]} failed", why=why, hint="Nothing was written.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorkError(
            "The editor left no file", why=error.strerror or str(error), hint="Nothing was written."
        ) from None


def _run(command: Sequence[str], env: Mapping[str, str]) -> int:
    try:
        process = subprocess.Popen(command, env=dict(env))
    except OSError as error:
        raise refused(error, Path(command[0]), "The editor cannot be started") from None
    try:
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_SECONDS)
        return process.returncode
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _signals() -> Iterator[None]:
    """Leave SIGINT, which a terminal sends to both of us, to the editor; end in order when the terminal goes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(_number: int, _frame: FrameType | None) -> None:
        pass

    def end(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)

    handlers = {signal.SIGINT: leave, signal.SIGHUP: end, signal.SIGQUIT: end}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    noticing = signal.set_wakeup_fd(-1)  # who reads it would send a SIGINT again that is not ours
    try:
        yield
    finally:
        signal.set_wakeup_fd(noticing)
        for number, handler in before.items():
            signal.signal(number, handler)
