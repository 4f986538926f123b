# SPDX-License-Identifier: MIT
"""`diff`, `explain` and `lint` on whatever stands in a repository, an earlier output, a clone or an encrypted file: a
sentence and the right exit code, in bounded time, and nothing written."""

import base64
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from kit_core.envfile import encrypt, encrypt_value
from kit_core.keys import Key
from tests.unit.deploymentizer.clones import commit
from tests.unit.deploymentizer.hostile import (
    ALL,
    DEEP,
    DOCUMENTS,
    HUGE,
    noise,
    put,
    snapshot,
    within_the_limit,
)
from tests.unit.deploymentizer.workshop import KIT, Workshop

COMMANDS = (("diff",), ("explain", "east", "app"), ("lint",))
KEY = Key(bytes(range(32)))
FILES = [
    "base-var.yaml",
    "base-cluster.yaml",
    "clusters/east/cluster.yaml",
    "resources/app/app.mustache",
    "env/con.yaml",
]


@pytest.fixture
def whole(workshop: Workshop) -> Workshop:
    """A clone with every kind of file, all of it committed. What is beside it must stay as it is."""
    workshop.write({**ALL, "../beside/secret.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\n"})
    (workshop.folder / "clusters/west/cluster.yaml").unlink()
    commit(workshop.folder)
    return workshop


def answers(workshop: Workshop, *arguments: str, codes: tuple[int, ...] = (0, 1, 2), **env: str) -> str:
    """What is said: no traceback, no wait, nothing written anywhere."""
    before = snapshot(workshop.folder.parent)
    with within_the_limit():
        result = workshop.run(*arguments, **env)
    assert "Traceback" not in result.log
    assert "fault of kit" not in result.log, result.log[-2000:]
    assert result.code in codes, result.log[-2000:]
    assert result.code == 0 or "error: " in result.log
    assert snapshot(workshop.folder.parent) == before
    return result.log + result.out


@pytest.mark.parametrize("seed", range(1))
@pytest.mark.parametrize("name", sorted(ALL))
def test_anything_in_any_file(whole: Workshop, name: str, seed: int) -> None:
    put(whole, name, noise(seed * 1000 + 7 * len(name) + 2, ALL[name].encode()))
    for command in COMMANDS:
        answers(whole, *command)


@pytest.mark.parametrize("what", ["aliases", "itself", "lists"])
@pytest.mark.parametrize("name", ["base-var.yaml", "resources/app/app.mustache", "resources/app/two.j2"])
def test_deep_and_growing_things(whole: Workshop, name: str, what: str) -> None:
    text = DEEP[what]
    if name in DOCUMENTS and what in {"aliases", "merges", "itself"}:
        text = DOCUMENTS[name] + text
    put(whole, name, text.encode())
    for command in COMMANDS:
        answers(whole, *command)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_value_of_fifty_megabytes(whole: Workshop, command: tuple[str, ...]) -> None:
    put(whole, "base-var.yaml", b"kind: ResourceConfig\nmore: " + b"x" * HUGE + b"\n")
    told = answers(whole, *command)
    assert len(told) < HUGE // 1000


@pytest.mark.parametrize("what", ["noise", "large", "aliases", "lists"])
def test_an_earlier_output(whole: Workshop, what: str) -> None:
    """Whatever a folder to compare with holds: manifests and their index."""
    text = {"noise": noise(4, b"x"), "large": b"data:\n  a: |\n" + b"    password: x\n" * 20_000}.get(what)
    for place in ("east/app.yaml", ".kit/east.json"):
        path = whole.folder / "before" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text or DEEP[what].encode())
    answers(whole, "diff", "--against", "./before", codes=(0, 2))


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        '{"files": 5}',
        '{"secrets": {"app.yaml": 5}}',
        '{"files": {"app.yaml": 5}}',
        '{"version": 1, "cluster": "east", "files": [], "secrets": {"app.yaml": [5, {}]}}',
    ],
)
def test_an_earlier_index_of_another_form(whole: Workshop, content: str) -> None:
    assert whole.run(SAVE="true").code == 0
    index = whole.folder / "generated/.kit/east.json"
    original = index.read_text()
    for text in (content, original.replace('"secrets":', '"secrets": 5, "o":'), original.replace('"files":', '"x":'),
                 original.replace('"placeholders"', '"p"'), original[: len(original) // 2]):  # fmt: skip
        index.write_text(text)
        answers(whole, "diff", "--against", "./generated", codes=(0, 2))
        answers(whole, "diff", "--against", "./generated", RESOURCE="app", codes=(0, 2))


@pytest.mark.parametrize(
    "name", ["HEAD", "config", "packed-refs", "refs/heads/main", "shallow", "objects/info/alternates"]
)
@pytest.mark.parametrize("what", ["noise", "empty", "loop"])
def test_a_clone_that_is_no_good(whole: Workshop, name: str, what: str) -> None:
    path = whole.folder / ".git" / name
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if what == "folder":
        path.mkdir()
    elif what == "loop":
        path.symlink_to(path)
    else:
        path.write_bytes(
            {"noise": noise(3, b"x"), "empty": b"", "lines": b"\n" * 100_000, "long": b"a" * 500_000}[what]
        )
    for reference in ("HEAD", "main", "main..."):
        answers(whole, "diff", "--against", reference, codes=(0, 2))


@pytest.mark.parametrize("seed", range(8))
def test_objects_of_a_clone_that_are_damaged(whole: Workshop, seed: int) -> None:
    objects = sorted(path for path in (whole.folder / ".git/objects").rglob("*") if path.is_file())
    chance = random.Random(seed)
    for path in chance.sample(objects, 4):
        path.chmod(0o644)
        content = bytearray(path.read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content if seed % 3 else content[: len(content) // 2])
    answers(whole, "diff", codes=(0, 2))


def sealed(plain: bytes) -> Callable[[int], bytes]:
    return lambda seed: encrypt(plain, KEY, form="jet 1" if seed % 2 else "kit:v1")


LOCKED: dict[str, Callable[[int], bytes]] = {
    "noise": lambda seed: noise(seed, b"kit:v1\n" + base64.b64encode(bytes(100))),
    "a header": lambda seed: (b"kit:v1", b"kit:v1\n", b"kit:v9\nAAAA", b"codeship:v2\nAAAA")[seed],
    "base64": lambda seed: b"kit:v1\n" + base64.b64encode(random.Random(seed).randbytes((0, 1, 27, 2000)[seed])),
    "base64 alone": lambda seed: base64.b64encode(random.Random(seed).randbytes((0, 16, 17, 2000)[seed])),
    "cut off": lambda seed: encrypt(b"A=1\n" * 100, KEY)[: (10, 50, 100, 300)[seed]],
    "changed": lambda seed: encrypt(b"A=1\n" * 100, KEY).replace(b"A", b"B", seed + 1),
    "noise inside": lambda seed: sealed(noise(seed + 1, b"A=1\n"))(seed),
    "deep inside": lambda seed: sealed(DEEP[("lists", "json", "spaces", "quotes")[seed]].encode())(seed),
    "nothing inside": sealed(b"A="),
    "lines": lambda seed: b"\n" * 20_000 + encrypt(b"A=1\n", KEY)[:seed],
}


@pytest.mark.parametrize("name", ["env/con.env.encrypted", "env/con.yaml.aes"])
@pytest.mark.parametrize("what", sorted(LOCKED))
def test_encrypted_files(whole: Workshop, what: str, name: str) -> None:
    whole.write({"kit.yaml": KIT + f"sources: [{{kind: files, path: ./{name}}}]\n"})
    for seed in range(0, 4, 1 if name.endswith("env.encrypted") else 3):
        (whole.folder / name).write_bytes(LOCKED[what](seed))
        for env in ({"CODESHIP_AES_KEY": KEY.text}, {"KIT_PLACEHOLDERS": "true"}):
            answers(whole, codes=(0, 2), SAVE="false", **env)
        answers(whole, "explain", "east", "app")


def test_large_encrypted_things(whole: Workshop) -> None:
    whole.write({"kit.yaml": KIT + "sources: [{kind: files, path: env/con.env.encrypted}]\n"})
    for form in ("kit:v1", "jet 1"):
        (whole.folder / "env/con.env.encrypted").write_bytes(encrypt(b"A=" + b"x" * (HUGE // 50), KEY, form=form))
        answers(whole, codes=(0,), SAVE="false", CODESHIP_AES_KEY=KEY.text)
    whole.write({"base-var.yaml": f"kind: ResourceConfig\nword: {encrypt_value('x' * (HUGE // 100), KEY)}\n"})
    for command in ((), *COMMANDS):
        answers(whole, *command, codes=(0,), SAVE="false", CODESHIP_AES_KEY=KEY.text)


@pytest.mark.parametrize("where", ["outside", "itself", "folder above", "device", "missing"])
@pytest.mark.parametrize("name", [*FILES, "clusters/east", "resources", "type", "images", "clusters"])
def test_links_that_lead_anywhere(whole: Workshop, name: str, where: str) -> None:
    path, around = whole.folder / name, whole.folder.parent
    path.rename(around / "moved")
    target = {"outside": around / "beside/secret.yaml", "itself": path, "folder above": around,
              "device": Path("/dev/zero"), "missing": Path("nowhere")}[where]  # fmt: skip
    path.symlink_to(target)
    for command in COMMANDS:
        assert "name: beside" not in answers(whole, *command)


@pytest.mark.parametrize("name", ["..", "../beside", ".kit", "a/../../b", "-x", "--help", "\x00", "*" * 5000])
def test_names_given_by_hand(whole: Workshop, name: str) -> None:
    answers(whole, "explain", "--", name, "app", codes=(2,))
    answers(whole, "explain", "--", "east", name, codes=(2,))
    answers(whole, "explain", "--", "east", "app", name, codes=(2,))
    answers(whole, "diff", f"--against={name}")
