# SPDX-License-Identifier: MIT
"""The program in a folder of a test, as one call or as a process of its own."""

import io
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kit_core.entry import main
from kit_core.keys import Key
from kit_pipeline.cli import STEP

KEY = Key(bytes(range(32)), "the test's key")
NEW = Key(bytes(range(1, 33)), "the new key")
CANARY = "s3cret-canary-value"
TEXT = f"TOKEN={CANARY}\nUMLAUT=zwei ümlaut\n".encode()
STEPS = Path(__file__).parents[3] / "steps"


@dataclass(frozen=True)
class Said:
    """What a call ended with."""

    code: int
    out: bytes
    err: str


def repository(folder: Path) -> Path:
    """`folder` with the key in it, and the new one beside."""
    (folder / "codeship.aes").write_text(KEY.text + "\n")
    (folder / "new.aes").write_text(NEW.text + "\n")
    return folder


def kit(folder: Path, *argv: str, **env: str) -> Said:
    """The program in `folder`, with those variables and no others. No output ever shows a key."""
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    code = main(STEP, argv, {"PATH": os.environ["PATH"], **env}, stdout=out, stderr=err, cwd=folder)
    out.flush()
    data = out.buffer.getvalue()
    said = Said(code, data, err.getvalue())
    for key in (KEY, NEW):
        assert key.text not in said.err
        assert key.text not in said.out.decode("latin-1")
    return said


def process(folder: Path, *argv: str, **env: str) -> subprocess.Popen[bytes]:
    """The same as a process of its own."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(STEPS), **env}
    code = "from kit_pipeline.cli import main; main()"
    return subprocess.Popen([sys.executable, "-c", code, *argv], cwd=folder, env=environment,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def holding(text: str, folders: Iterable[Path]) -> list[Path]:
    """The files below `folders` that hold `text`."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sorted(path for path in files if text.encode() in path.read_bytes())
