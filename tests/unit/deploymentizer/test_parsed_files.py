# SPDX-License-Identifier: MIT
"""Files that were parsed before are not parsed again where nothing changed; what is kept of them is no secret."""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from kit_core.yamlio import load_document
from kit_deploymentizer.inputs import reading
from kit_deploymentizer.output.digests import Digests
from kit_deploymentizer.output.remembered import MISSING, Remembered
from tests.unit.deploymentizer.edits import later, put
from tests.unit.deploymentizer.workshop import Workshop


def test_a_key_that_stands_twice_in_an_image_file_is_told_each_time(calm: Workshop) -> None:
    calm.write({"images/shop/web/master.yaml": "image: shop/web:2\nimage: shop/web:3\n"})
    for _ in range(2):
        later(calm)
        assert "images/shop/web/master.yaml:2" in calm.run(KEY="one").log


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of the repository that are parsed."""
    seen: list[str] = []
    real = load_document

    def told(text, *, name, **others):  # type: ignore[no-untyped-def]
        seen.append(name)
        return real(text, name=name, **others)

    monkeypatch.setattr(reading, "load_document", told)
    return seen


def test_a_file_of_the_repository_is_parsed_again_when_it_changed(calm: Workshop, parsed: list[str]) -> None:
    calm.run(KEY="one")
    assert parsed == ["kit.yaml"]
    put(calm, "images/shop/web/master.yaml", "image: shop/web:2\n", unseen=True)
    result = calm.run(KEY="one")
    assert parsed == ["kit.yaml", "kit.yaml", "images/shop/web/master.yaml"]
    assert "image: 'shop/web:2'" in result.files["east/web.yaml"]


@pytest.mark.parametrize(
    "text",
    [
        "kind: ResourceConfig\nmore: {key: 'kit:v1:AAAA'}\n",
        "kind: ResourceConfig\nmore: &m {key: one}\nsame: *m\n",
        "kind: ResourceConfig\nday: 2020-01-01\n",
        "kind: ResourceConfig\nday: 1\nday: 2\n",
    ],
)
def test_secrets_and_what_json_cannot_hold_are_not_kept_beside_the_output(
    calm: Workshop, parsed: list[str], text: str
) -> None:
    calm.write({"base-var.yaml": text})
    codes = [calm.run(KIT_PLACEHOLDERS=placeholders).code for placeholders in ("false", "true", "false")]
    assert codes[1] == 0
    assert parsed.count("base-var.yaml") == 3
    assert b"AAAA" not in b"".join(path.read_bytes() for path in (calm.folder / "generated/.kit").iterdir())


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


@pytest.mark.parametrize(
    "by_hand",
    [
        lambda file: file.chmod(0o644),
        lambda file: file.write_bytes(file.read_bytes()[:-9]),
        lambda file: file.write_bytes(file.read_bytes().replace(b"shop/web:1", b"shop/web:9")),
        lambda file: file.write_bytes(b"\0" * 1000),
        lambda file: file.rename(file.with_name("other")) and file.symlink_to("other"),
        _pipe,
    ],
)
def test_parsed_files_that_are_damaged_or_from_a_clone_are_not_believed(
    calm: Workshop, parsed: list[str], by_hand: Callable[[Path], object]
) -> None:
    file = calm.folder / "generated/.kit/parsed"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    by_hand(file)
    assert calm.run(KEY="one").code == 0
    assert len(parsed) > 5
    parsed.clear()
    calm.run(KEY="one")
    assert parsed == ["kit.yaml"]


def test_a_pull_request_brings_no_parsed_files(calm: Workshop, parsed: list[str]) -> None:
    """With placeholders, the output may be anybody's."""
    calm.run(KIT_PLACEHOLDERS="true")
    assert len(parsed) > 5


def test_lines_of_another_meaning_are_never_taken(tmp_path: Path) -> None:
    """Written by a program that knows how: nothing fails, and what is no value is parsed anew."""
    writer = Remembered("base")
    writer.learn("0" * 32, {"a": [1, 1.0, True, None, "\u2028", float("inf")]})
    for odd in ({"a": "\ud800"}, {"a": object()}, [1], None, {"a": 10**5000}):
        writer.learn("1" * 32, odd)
    (tmp_path / "parsed").write_bytes(writer.text() or b"")
    (tmp_path / "parsed").chmod(0o600)
    again = Remembered.read(tmp_path, "base")
    assert again.text() is not None
    assert repr(again.value("0" * 32)) == repr({"a": [1, 1.0, True, None, "\u2028", float("inf")]})
    assert again.text() is None
    assert again.value("1" * 32) is MISSING
    assert Remembered.read(tmp_path, "other").value("0" * 32) is MISSING
    for body in (b"nothing", b"0 " + b"[" * 100_000, b"0 {", b"\n\n\n"):
        head = (tmp_path / "parsed").read_bytes().split(b" ")[:4]
        digest = hashlib.blake2b(body, digest_size=16).hexdigest().encode()
        (tmp_path / "parsed").write_bytes(b" ".join([*head, digest]) + b"\n" + body)
        assert Remembered.read(tmp_path, "base").value("0") is MISSING


def test_a_file_that_changes_while_it_is_read_has_no_digest(tmp_path: Path) -> None:
    digests = Digests(tmp_path)
    (tmp_path / "a").write_bytes(b"1")
    one = digests.key("x", ["a"])
    assert digests.key("x", ["a"]) == one
    digests.learn("a", b"2")
    assert digests.of("a") == "torn"
    again = Digests(tmp_path)
    assert again.key("x", ["a"]) == one
    assert again.key("y", ["a"]) != one
    assert again.of("b") == "absent"
    (tmp_path / "loop").symlink_to("loop")
    assert again.of("loop") == "absent"
