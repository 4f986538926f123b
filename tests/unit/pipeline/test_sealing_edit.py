# SPDX-License-Identifier: MIT
"""`edit`, with editors that are scripts, in processes of their own: what is written, and that nothing stays behind."""

import contextlib
import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kit_core.envfile import decrypt, encrypt, form_of
from kit_core.errors import WorkError
from kit_pipeline.sealing.editing import editor_command
from kit_pipeline.sealing.ramfolder import folder_in_memory
from tests.unit.pipeline.sealing_program import CANARY, KEY, TEXT, Said, holding, process, repository

SECONDS = 60


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "repo").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "repo/web.env.encrypted").write_bytes(encrypt(TEXT, KEY))
    return repository(tmp_path / "repo")


def editor(repo: Path, script: str) -> str:
    """An editor of that shell script, which says where it works: its path."""
    path = repo.parent / "editor"
    path.write_text(f'#!/bin/sh\ndirname "$1" > "{repo.parent}/where"\n{script}\n')
    path.chmod(0o755)
    return str(path)


def edit(repo: Path, script: str, *argv: str, **env: str) -> Said:
    """What `edit` said; neither the plaintext nor a folder is left anywhere, whatever happened."""
    (repo.parent / "where").unlink(missing_ok=True)
    running = process(repo, "edit", *argv, HOME=str(repo.parent / "home"), EDITOR=editor(repo, script), **env)
    out, err = running.communicate(timeout=SECONDS)
    check_nothing_left(repo)
    assert CANARY.encode() not in out + err
    assert KEY.text.encode() not in out + err
    return Said(running.returncode, out, err.decode())


def check_nothing_left(repo: Path) -> None:
    assert holding(CANARY, [repo.parent]) == [path for path in [repo.parent / "editor"] if CANARY in path.read_text()]
    with contextlib.suppress(FileNotFoundError):
        assert not Path((repo.parent / "where").read_text().strip()).exists()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def held(repo: Path, name: str = "web.env.encrypted") -> bytes:
    return decrypt((repo / name).read_bytes(), KEY, name=name, binary=True)


@pytest.mark.parametrize(
    "script",
    [
        'echo NEW=1 >> "$1"',
        '{ cat "$1"; echo NEW=1; } > "$1.tmp" && mv "$1.tmp" "$1"',
        'cp "$1" "$1~"; cp "$1" "$TMPDIR/.swap"; echo NEW=1 >> "$1"',
    ],
    ids=["in place", "by renaming", "with copies of its own"],
)
def test_what_the_editor_makes_of_it_is_encrypted(repo: Path, script: str) -> None:
    (repo / "web.env.encrypted").chmod(0o640)
    said = edit(repo, script, "web.env.encrypted")
    assert said.code == 0
    assert held(repo) == TEXT + b"NEW=1\n"
    assert stat.S_IMODE((repo / "web.env.encrypted").stat().st_mode) == 0o640
    assert "result=changed" in said.err


def test_the_text_lies_in_memory_in_a_folder_for_its_owner_under_its_own_name(repo: Path) -> None:
    script = f'stat -f -c %T "$1" > "{repo.parent}/facts"; stat -c %a "$(dirname "$1")" "$1" >> "{repo.parent}/facts"; '
    script += f'basename "$1" >> "{repo.parent}/facts"'
    edit(repo, script, "web.env.encrypted")
    assert (repo.parent / "facts").read_text().split() == ["tmpfs", "700", "600", "web.env"]


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
def test_a_file_keeps_its_form(repo: Path, form: str) -> None:
    (repo / "x").write_bytes(encrypt(TEXT, KEY, form="jet 1" if form == "jet 1" else "kit:v1"))
    edit(repo, 'echo NEW=1 >> "$1"', "x")
    assert form_of((repo / "x").read_bytes()) == form
    assert held(repo, "x") == TEXT + b"NEW=1\n"


@pytest.mark.parametrize(
    ("script", "code", "why"),
    [
        ("true", 0, "result=unchanged"),
        ('touch "$1"', 0, "result=unchanged"),
        ('echo LOST=1 >> "$1"; exit 3', 1, "failed: it ended with exit code 3. Nothing was written"),
        ('echo LOST=1 >> "$1"; kill -INT $$', 1, "signal 2 ended it"),
        ('rm "$1"', 1, "The editor left no file"),
    ],
)
def test_nothing_is_written_where_nothing_changed_or_the_editor_failed(
    repo: Path, script: str, code: int, why: str
) -> None:
    before = (repo / "web.env.encrypted").read_bytes()
    said = edit(repo, script, "web.env.encrypted")
    assert said.code == code
    assert why in said.err
    assert (repo / "web.env.encrypted").read_bytes() == before


def test_a_file_that_is_not_there_is_made(repo: Path) -> None:
    assert "result=unchanged" in edit(repo, "true", "new.env").err
    assert not (repo / "new.env").exists()
    said = edit(repo, 'echo A=1 > "$1"', "new.env")
    assert "result=created form=kit:v1" in said.err
    assert held(repo, "new.env") == b"A=1\n"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("web.env.encrypted", f"A=1\n{CANARY}\n", "web.env:2: this is no line of an env file"),
        ("new.yaml.enc", f"a: [{CANARY}\n", "new.yaml:2:1: this is no YAML"),
        ("new.env", f"A: '{CANARY}\n", "new.env"),
    ],
)
def test_what_looks_wrong_is_told_without_being_shown_and_kept(repo: Path, name: str, text: str, told: str) -> None:
    said = edit(repo, f"cat > \"$1\" <<'END'\n{text}END", name)
    assert said.code == 0
    assert f"warning: {told}" in said.err
    assert held(repo, name) == text.encode()


def test_a_file_that_changed_meanwhile_is_not_written_over_and_no_work_is_lost(repo: Path) -> None:
    (repo / "theirs").write_bytes(encrypt(b"THEIRS=1\n", KEY))
    said = edit(repo, f'echo OURS=1 >> "$1"; mv "{repo}/theirs" "{repo}/web.env.encrypted"', "web.env.encrypted")
    assert said.code == 1
    assert "changed by somebody else meanwhile" in said.err
    assert held(repo) == b"THEIRS=1\n"
    assert held(repo, "web.env.encrypted.edited") == TEXT + b"OURS=1\n"


@pytest.mark.parametrize(
    ("name", "env", "why"),
    [
        ("plain.env", {}, "plain.env is not encrypted"),
        ("sub", {}, "it is a folder"),
        ("codeship.aes", {}, "A key's file is not written over"),
        ("web.env.encrypted", {"VISUAL": "no-such-editor -w"}, "The editor no-such-editor is not there"),
        ("web.env.encrypted", {"VISUAL": "vi 'x"}, "VISUAL is no command"),
    ],
)
def test_what_cannot_be_edited_opens_no_editor(repo: Path, name: str, env: dict[str, str], why: str) -> None:
    (repo / "plain.env").write_text("A=1\n")
    (repo / "sub").mkdir()
    said = edit(repo, "true", name, **env)
    assert said.code == 2
    assert why in said.err
    assert not (repo.parent / "where").exists()


def test_the_editor_is_not_told_the_key(repo: Path) -> None:
    (repo / "codeship.aes").unlink()
    said = edit(repo, f'env > "{repo.parent}/env"', "web.env.encrypted", CODESHIP_AES_KEY=KEY.text)
    assert said.code == 0
    assert KEY.text not in (repo.parent / "env").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_ends_the_editor_and_leaves_nothing(repo: Path, number: signal.Signals) -> None:
    before = (repo / "web.env.encrypted").read_bytes()
    script = f'echo LOST=1 >> "$1"; echo $$ > "{repo.parent}/pid"; exec sleep 600'
    running = process(repo, "edit", "web.env.encrypted", EDITOR=editor(repo, script), HOME=str(repo.parent / "home"))
    try:
        until(lambda: (repo.parent / "pid").exists() and (repo.parent / "pid").read_text().endswith("\n"))
        running.send_signal(number)
        if number != signal.SIGKILL:
            assert running.wait(SECONDS) == 128 + number
            until(lambda: not is_running(int((repo.parent / "pid").read_text())))
        until(lambda: not Path((repo.parent / "where").read_text().strip()).exists())
    finally:
        running.kill()
        with contextlib.suppress(ProcessLookupError, FileNotFoundError, ValueError):
            os.kill(int((repo.parent / "pid").read_text()), signal.SIGKILL)
        running.communicate(timeout=SECONDS)
    check_nothing_left(repo)
    assert (repo / "web.env.encrypted").read_bytes() == before


def is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_is_the_editors_own(repo: Path) -> None:
    script = f"trap 'echo STOPPED=1 >> \"$1\"; exit 0' INT; echo > '{repo.parent}/pid'; while :; do sleep 0.05; done"
    running = process(repo, "edit", "web.env.encrypted", EDITOR=editor(repo, script), HOME=str(repo.parent / "home"))
    until((repo.parent / "pid").exists)
    running.send_signal(signal.SIGINT)
    assert running.poll() is None
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    for child in children:
        if "editor" in Path(f"/proc/{child}/cmdline").read_text():
            os.kill(int(child), signal.SIGINT)
    running.communicate(timeout=SECONDS)
    assert running.returncode == 0
    assert held(repo) == TEXT + b"STOPPED=1\n"
    check_nothing_left(repo)


# The folder, and the editor


def test_a_folder_on_a_disk_is_never_taken(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    number = tmp_path.stat().st_dev
    mounts.write_text(f"1 0 {os.major(number)}:{os.minor(number)} / / rw - ext4 /dev/sda rw\n")
    with (
        pytest.raises(WorkError, match="There is no folder in memory") as caught,
        folder_in_memory([tmp_path, tmp_path / "none"], mounts),
    ):
        pass
    assert str(tmp_path) in str(caught.value)
    assert "--tmpfs /dev/shm" in str(caught.value)
    assert list(tmp_path.glob("kit-edit-*")) == []
    mounts.write_text(f"1 0 {os.major(number)}:{os.minor(number)} / / rw shared:1 - tmpfs tmpfs rw\n")
    with folder_in_memory([tmp_path], mounts) as folder:
        assert folder.parent == tmp_path
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


def test_visual_comes_before_editor_and_vim_is_told_to_keep_nothing(tmp_path: Path) -> None:
    for name in ("vim.basic", "nano", "code"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "vi").symlink_to("vim.basic")
    path = str(tmp_path)
    assert editor_command({"VISUAL": "code --wait", "EDITOR": "nano", "PATH": path}) == (f"{path}/code", "--wait")
    assert editor_command({"EDITOR": "nano", "PATH": path}) == (f"{path}/nano",)
    assert editor_command({"PATH": path})[:4] == (f"{path}/vi", "-n", "-i", "NONE")
