# SPDX-License-Identifier: MIT
"""A testbed in use must never be taken for a leftover, a leftover always."""

from pathlib import Path

import pytest

from testbed import owner


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("boot-1\n")
    process(tmp_path, 42, began="1000")
    return tmp_path


def process(proc: Path, pid: int, *, began: str, name: str = "python3") -> None:
    (proc / str(pid)).mkdir(exist_ok=True)
    fields = ["S", *["0"] * 18, began, "0"]
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}\n")


def test_living_owner_is_not_gone(proc: Path) -> None:
    assert not owner.is_gone(str(owner.current(proc, 42)), proc)


def test_program_whose_name_looks_like_fields_is_read_right(proc: Path) -> None:
    process(proc, 43, began="77", name="a) S 1 2 (b")
    assert owner.current(proc, 43).began == "77"


def test_ended_owner_is_gone(proc: Path) -> None:
    label = str(owner.current(proc, 42))
    (proc / "42/stat").unlink()
    assert owner.is_gone(label, proc)


def test_number_that_was_given_to_a_later_process_is_gone(proc: Path) -> None:
    label = str(owner.current(proc, 42))
    process(proc, 42, began="2000")
    assert owner.is_gone(label, proc)


def test_owner_before_the_last_boot_is_gone(proc: Path) -> None:
    label = str(owner.current(proc, 42))
    (proc / "sys/kernel/random/boot_id").write_text("boot-2\n")
    assert owner.is_gone(label, proc)


@pytest.mark.parametrize("label", [owner.DETACHED, "", "elsewhere/boot-1/42/999", "some/thing", "a/b/c/d"])
def test_what_cannot_be_known_counts_as_used(proc: Path, label: str) -> None:
    assert not owner.is_gone(label, proc)
