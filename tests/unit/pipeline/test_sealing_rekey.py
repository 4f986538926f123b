# SPDX-License-Identifier: MIT
"""`rekey`: a repository from one key to another, all of it or nothing."""

import base64
import contextlib
import os
import signal
import stat
from pathlib import Path

import pytest

from kit_core.envfile import decrypt, decrypt_value, encrypt, encrypt_value, form_of
from kit_core.errors import WorkError
from kit_core.keys import DecryptError, Key
from kit_pipeline.sealing.place import Staged
from kit_pipeline.sealing.rekeying import carry_out, plan
from kit_pipeline.sealing.search import candidates
from kit_pipeline.sealing.turning import Keys
from tests.unit.pipeline.sealing_program import CANARY, KEY, NEW, TEXT, holding, kit, repository

OTHER = Key(bytes(range(2, 34)), "a third key")
REKEY = ("rekey", "--new-key-path", "new.aes")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with a file of each kind."""
    repository(tmp_path)
    (tmp_path / "clusters").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/blob").write_bytes(encrypt(TEXT, KEY))
    (tmp_path / "a.env.encrypted").write_bytes(encrypt(TEXT, KEY))
    (tmp_path / "jet").write_bytes(encrypt(TEXT, KEY, form="jet 1"))
    (tmp_path / "clusters/kubeconfig.yaml").write_bytes(encrypt(TEXT, KEY))
    (tmp_path / "clusters/cluster.yaml").write_text(
        f"# the password\npassword: {encrypt_value('one', KEY)}\nplain: 'kit:v1 is a form'  # stays\n"
    )
    bare = encrypt(b"NAME=value", KEY, form="jet 1").decode()
    (tmp_path / "codeship-services.yml").write_text(f"app:\n  encrypted_environment:\n  - {bare}\n  image: web\n")
    (tmp_path / "web.env").write_text(f"A=1\nB={encrypt_value('two long words', KEY, form='jet 1')}\n")
    (tmp_path / "commit").write_text("0123456789abcdef0123456789abcdef01234567\n")
    (tmp_path / "picture").write_bytes(bytes(range(256)) * 40)
    return tmp_path


def contents(repo: Path) -> dict[str, bytes]:
    return {str(path.relative_to(repo)): path.read_bytes() for path in sorted(repo.rglob("*")) if path.is_file()}


def test_a_whole_repository_is_brought_to_the_new_key(repo: Path) -> None:
    before = contents(repo)
    said = kit(repo, *REKEY, ".")
    assert said.code == 0
    after = contents(repo)
    assert [name for name in after if after[name] != before[name]] == [
        "a.env.encrypted", "clusters/cluster.yaml", "clusters/kubeconfig.yaml", "codeship-services.yml", "jet",
        "web.env",
    ]  # fmt: skip
    for name in ("a.env.encrypted", "jet", "clusters/kubeconfig.yaml"):
        assert form_of(after[name]) == form_of(before[name])
        assert decrypt(after[name], NEW, name=name) == TEXT
        assert f"{name}: under the new key now" in said.err
    cluster = after["clusters/cluster.yaml"].decode().splitlines()
    assert decrypt_value(cluster[1].removeprefix("password: "), NEW, name="x") == "one"
    assert [cluster[0], cluster[2]] == ["# the password", "plain: 'kit:v1 is a form'  # stays"]
    services = after["codeship-services.yml"].decode().splitlines()
    assert decrypt(services[2].removeprefix("  - ").encode(), NEW, name="x") == b"NAME=value"
    assert services[0::3] == ["app:", "  image: web"]
    assert (
        decrypt_value(after["web.env"].decode().splitlines()[1].removeprefix("B="), NEW, name="x") == "two long words"
    )
    assert CANARY not in said.err
    assert holding(CANARY, [repo]) == []


def test_a_second_run_finds_everything_done_and_changes_nothing(repo: Path) -> None:
    kit(repo, *REKEY, ".")
    before = contents(repo)
    said = kit(repo, *REKEY, ".")
    assert contents(repo) == before
    assert "a.env.encrypted is under the new key already" in said.err
    assert "result=unchanged files=0 already=6 left=0" in said.err


def test_what_the_run_before_did_not_reach_is_done(repo: Path) -> None:
    kit(repo, *REKEY, "jet", "web.env")
    said = kit(repo, *REKEY, ".")
    assert "result=rekeyed files=4 already=2 left=0" in said.err
    for name in ("jet", "a.env.encrypted"):
        assert decrypt((repo / name).read_bytes(), NEW, name=name) == TEXT


def test_a_form_may_be_asked_for_also_of_what_has_the_new_key_already(repo: Path) -> None:
    kit(repo, *REKEY, "jet")
    said = kit(repo, *REKEY, "--format", "kit:v1", "jet", "codeship-services.yml")
    assert said.code == 0
    assert form_of((repo / "jet").read_bytes()) == "kit:v1"
    assert decrypt((repo / "jet").read_bytes(), NEW, name="jet") == TEXT
    assert "  - kit:v1:" in (repo / "codeship-services.yml").read_text()


@pytest.mark.parametrize("wrong", ["stranger", "plain", "damaged"])
def test_one_file_that_cannot_be_turned_stops_all(repo: Path, wrong: str) -> None:
    data = {"stranger": encrypt(TEXT, OTHER), "plain": TEXT, "damaged": encrypt(TEXT, KEY)[:-9]}[wrong]
    (repo / wrong).write_bytes(data)
    (repo / "second").write_bytes(encrypt(TEXT, OTHER))
    before = contents(repo)
    said = kit(repo, *REKEY, "a.env.encrypted", wrong, "second", "jet")
    assert said.code == 2
    assert contents(repo) == before
    assert f"error: {wrong} " in said.err
    assert "error: second " in said.err
    assert "2 files cannot be brought to the new key" in said.err


def test_what_has_a_third_key_is_left_alone_and_told_in_a_folder(repo: Path) -> None:
    (repo / "production.enc").write_bytes(encrypt(TEXT, OTHER))
    (repo / "clusters/other.yaml").write_text(f"a: 1\nb: {encrypt_value('x', OTHER)}\nc: {encrypt_value('y', KEY)}\n")
    said = kit(repo, *REKEY, ".")
    assert said.code == 0
    assert "production.enc is left as it is: wrong key or damaged file" in said.err
    assert "clusters/other.yaml:2 is left as it is" in said.err
    assert "left=2" in said.err
    assert decrypt((repo / "production.enc").read_bytes(), OTHER, name="x") == TEXT
    assert decrypt_value((repo / "clusters/other.yaml").read_text().split("c: ")[1], NEW, name="x") == "y"


def test_base64_that_only_looks_encrypted_is_never_touched_in_a_folder(repo: Path) -> None:
    hashes = [bytes([seed]) * size for seed in range(0, 250, 7) for size in (16, 18, 21, 24)]
    for number, raw in enumerate(hashes):
        (repo / f"hash{number}").write_bytes(base64.b64encode(raw))
    before = contents(repo)
    said = kit(repo, *REKEY, ".")
    after = contents(repo)
    assert [name for name in after if name.startswith(("hash", "commit")) and after[name] != before[name]] == []
    assert "result=rekeyed files=6" in said.err


def test_a_short_file_of_jet_1_is_turned_where_its_name_says_what_it_is_and_else_told(repo: Path) -> None:
    for name in ("short.encrypted", "short"):
        (repo / name).write_bytes(encrypt(b"PORT=8080", KEY, form="jet 1"))
    said = kit(repo, *REKEY, ".")
    assert decrypt((repo / "short.encrypted").read_bytes(), NEW, name="x") == b"PORT=8080"
    assert decrypt((repo / "short").read_bytes(), KEY, name="x") == b"PORT=8080"
    assert "short is left as it is: it is base64, so short that it may be anything" in said.err
    assert kit(repo, *REKEY, "short").code == 0
    assert decrypt((repo / "short").read_bytes(), NEW, name="x") == b"PORT=8080"


def test_a_file_that_is_too_short_to_tell_is_refused(repo: Path) -> None:
    for attempt in range(4000):
        data = base64.b64encode(attempt.to_bytes(16, "big") + b"\x01")
        with contextlib.suppress(DecryptError):
            decrypt(data, KEY, name="x")
            decrypt(data, NEW, name="x")
            break
    (repo / "short").write_bytes(data)
    said = kit(repo, *REKEY, "short")
    assert said.code == 2
    assert "both keys make text of it" in said.err
    assert (repo / "short").read_bytes() == data


def test_keys_and_links_are_passed_over(repo: Path) -> None:
    (repo / "link").symlink_to("jet")
    (repo / "outside").symlink_to(repo.parent)
    (repo / "web.env.aes").write_bytes(encrypt(TEXT, KEY))
    (repo / "older.aes").write_text(OTHER.text)
    before = {name: (repo / name).read_bytes() for name in ("codeship.aes", "new.aes", "older.aes")}
    assert kit(repo, *REKEY, ".").code == 0
    assert {name: (repo / name).read_bytes() for name in before} == before
    assert decrypt((repo / "web.env.aes").read_bytes(), NEW, name="x") == TEXT
    assert (repo / "link").is_symlink()


def test_a_link_that_is_named_means_its_file_which_is_done_once(repo: Path) -> None:
    (repo / "link").symlink_to("jet")
    said = kit(repo, *REKEY, "link", "jet")
    assert "files=1 " in said.err
    assert (repo / "link").is_symlink()
    assert decrypt((repo / "jet").read_bytes(), NEW, name="jet") == TEXT


def test_a_file_keeps_its_mode(repo: Path) -> None:
    (repo / "jet").chmod(0o640)
    kit(repo, *REKEY, "jet")
    assert stat.S_IMODE((repo / "jet").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("rekey", "."), "--new-key-path is not given"),
        (("rekey", ".", "--new-key-path", "codeship.aes"), "The new key is the old one"),
        (("rekey", ".", "--new-key-path", "none.aes"), "none.aes"),
        ((*REKEY, "gone"), "There is no such file or folder"),
        ((*REKEY, "picture"), "picture holds nothing that is encrypted"),
    ],
)
def test_what_is_asked_wrongly_changes_nothing(repo: Path, argv: tuple[str, ...], why: str) -> None:
    before = contents(repo)
    said = kit(repo, *argv)
    assert said.code == 2
    assert why in said.err
    assert contents(repo) == before


def test_a_folder_that_refuses_its_last_file_refuses_the_first(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(repo)
    enter = Staged.__enter__

    def refuse(self: Staged) -> Staged:
        if self.path.name == "web.env":
            raise PermissionError(13, "Permission denied")
        return enter(self)

    monkeypatch.setattr(Staged, "__enter__", refuse)
    assert kit(repo, *REKEY, ".").code == 1
    assert contents(repo) == before


def test_a_file_that_changes_meanwhile_stops_all(repo: Path) -> None:
    planned = plan(candidates(["."], repo, []), Keys(KEY, NEW))
    (repo / "web.env").write_text("A=3\n")
    before = contents(repo)
    with pytest.raises(WorkError, match="changed by somebody else"):
        carry_out(planned.changes, lambda _: None)
    assert contents(repo) == before


def test_a_run_that_is_stopped_between_two_files_leaves_whole_ones_and_is_finished_by_the_next(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Staged.commit

    def stopped(self: Staged) -> None:
        commit(self)
        if self.path.name == "codeship-services.yml":
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Staged, "commit", stopped)
        said = kit(repo, *REKEY, ".")
    assert said.code == 143
    assert "have the new key; run it again for the others" in said.err
    assert list(repo.rglob(".kit-*")) == []
    assert decrypt((repo / "a.env.encrypted").read_bytes(), NEW, name="x") == TEXT
    assert decrypt((repo / "jet").read_bytes(), KEY, name="x") == TEXT
    assert kit(repo, *REKEY, ".").code == 0
    assert decrypt((repo / "jet").read_bytes(), NEW, name="x") == TEXT
