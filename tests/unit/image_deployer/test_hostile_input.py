# SPDX-License-Identifier: MIT
"""Input that is wrong in every way: exit code 2 and a sentence, before anything is written; never a traceback."""

from __future__ import annotations

import io
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.declare import Setting, declared
from kit_core.entry import main
from kit_core.errors import InputError, WorkError
from kit_core.yamlio import load_document
from kit_image_deployer.cli import STEP
from kit_image_deployer.edit.values import set_values
from kit_image_deployer.image import check_reference
from kit_image_deployer.target import ImagesRule, check_branch, image_file, images_rule

RULE = ImagesRule(("images",), "image")
SHA = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "kit.yaml is no mapping"),
        ("# nothing\n", "kit.yaml is no mapping"),
        ("- images\n", "kit.yaml is no mapping"),
        ("images\n", "kit.yaml is no mapping"),
        ("image: {}\n", "kit.yaml has no mapping `images`"),
        ("images:\n", "kit.yaml has no mapping `images`"),
        ("images: images\n", "kit.yaml has no mapping `images`"),
        ("images: [path, property]\n", "kit.yaml has no mapping `images`"),
        ("images: {property: image}\n", "no text at `images.path`"),
        ("images: {path: 5, property: image}\n", "no text at `images.path`"),
        ("images: {path: ' ', property: image}\n", "no text at `images.path`"),
        ("images: {path: [images], property: image}\n", "no text at `images.path`"),
        ("images: {path: ../images, property: image}\n", "images.path of kit.yaml='../images' cannot be part"),
        ("images: {path: images/../.., property: image}\n", "`..`"),
        ("images: {path: 'a\\b', property: image}\n", "a backslash"),
        ('images: {path: "a\\0b", property: image}\n', "a control character"),
        ("images: {path: .git/hooks, property: image}\n", "git keeps `.git` to itself"),
        ("images: {path: images, property: }\n", "no text at `images.property`"),
        ("images: {path: images, property: ''}\n", "no text at `images.property`"),
        ("images: {path: images, property: [image]}\n", "no text at `images.property`"),
        ("images: {path: images, property: yes}\n", "no text at `images.property`"),
        ("images: {path: images, property: 1}\n", "no text at `images.property`"),
        ("images: {path: images, property: '<<'}\n", "images.property of kit.yaml cannot be a key"),
        ('images: {path: images, property: "a\\nb"}\n', "images.property of kit.yaml cannot be a key"),
        (f"images: {{path: images, property: {'x' * 600}}}\n", "images.property of kit.yaml cannot be a key"),
    ],
)
def test_a_kit_yaml_that_is_wrong(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        images_rule(load_document(text, name="kit.yaml").value)
    assert words in str(caught.value)
    assert caught.value.file == "kit.yaml"


@pytest.mark.parametrize(
    ("path", "folder"),
    [("/images", ("images",)), ("./a//b/", ("a", "b")), ("/", ()), (".", ()), ("größe/😀", ("größe", "😀"))],
)
def test_a_path_is_taken_from_the_root_of_the_repository(path: str, folder: tuple[str, ...]) -> None:
    assert images_rule({"images": {"path": path, "property": " a.b "}}) == ImagesRule(folder, "a.b")


UNFIT = [
    "", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\\b", "..\\a", "a\0b", "a\nb",
    "a\rb", "a\tb",
    "a\x7fb", "a\x85b", "a\u2028b", "a\u202eb", "a\u200bb", "\ufeffa", ".git", "a/.git/hooks", ".GIT", ".Git/x",
    "git~1", "GIT~2/a",
    ".git.", ".git ", ".git::$INDEX_ALLOCATION", ".g\u200cit", "a/.gitmodules", ".gitattributes", " a", "a ",
    "a/ /b", "a.", "a./b",
    "-a", "--upload-pack=x", "a\udc80b", "x" * 251, "ü" * 126,
]  # fmt: skip


@pytest.mark.parametrize("name", UNFIT, ids=lambda name: ascii(name)[:30])
def test_names_that_git_or_a_checkout_could_not_hold(name: str) -> None:
    for setting, pair in (("DOCKER_REPO", (name, "master")), ("CI_BRANCH", ("shop/cart", name))):
        with pytest.raises(InputError) as caught:
            image_file(RULE, *pair)
        said = str(caught.value)
        assert said.startswith(f"{setting}={name[:300]!r}") or len(name) > 200
        assert "cannot be part of a path" in said
        assert said.isprintable(), "what is told holds nothing that acts on a terminal"


@pytest.mark.parametrize(
    ("branch", "path"),
    [
        ("master", "images/a/b/master.yaml"),
        ("feature/x/y", "images/a/b/feature/x/y.yaml"),
        ("release-1.2", "images/a/b/release-1.2.yaml"),
        (".hidden", "images/a/b/.hidden.yaml"),
        ("größe-😀-🩷", "images/a/b/größe-😀-🩷.yaml"),
        ("gro\u0308sse", "images/a/b/gro\u0308sse.yaml"),
        ("fix'#1$(x)`y`", "images/a/b/fix'#1$(x)`y`.yaml"),
    ],
)
def test_a_branch_with_slashes_makes_folders_and_every_character_stays(branch: str, path: str) -> None:
    assert image_file(RULE, "a/b", branch) == path


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_name_leads_out_of_the_folder_of_the_images(repository: str, branch: str) -> None:
    try:
        path = image_file(RULE, repository, branch)
    except InputError:
        return
    parts = path.split("/")
    assert parts[0] == "images"
    assert not {"", ".", ".."} & set(parts)
    assert path.encode().isascii() or path.encode().decode() == path
    assert not any(part.lower().startswith((".git/", "git~1/")) for part in (f"{part}/" for part in parts))


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a..b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "-a", "/a", "a/", "a//b", "a.lock", "a.",
    "a@{1}", "a\0", "a\n", "\udc80"],
)  # fmt: skip
def test_refs_that_are_none(name: str) -> None:
    with pytest.raises(InputError, match="can be no branch's name"):
        check_branch(name)


LABEL = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,5}[A-Za-z0-9])?", fullmatch=True)
PORT = st.sampled_from(["", ":5000", ":443"])
DOMAIN = st.one_of(
    st.builds("{}{}".format, st.lists(LABEL, min_size=1, max_size=4).map(".".join), PORT), st.just("[2001:db8::1]:5000")
)
COMPONENT = st.builds(
    lambda words, seps: words[0] + "".join(sep + word for sep, word in zip(seps, words[1:], strict=False)),
    st.lists(st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True), min_size=1, max_size=4),
    st.lists(st.sampled_from([".", "_", "__", "-", "--", "---"]), min_size=3, max_size=3),
)
TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)


@given(
    st.one_of(st.none(), DOMAIN), st.lists(COMPONENT, min_size=1, max_size=4), st.one_of(st.none(), TAG), st.booleans()
)
def test_every_reference_of_the_grammar_is_one(
    domain: str | None, components: list[str], tag: str | None, digest: bool
) -> None:
    text = (f"{domain}/" if domain else "") + "/".join(components)
    text += (f":{tag}" if tag else "") + (f"@sha256:{SHA}" if digest else "")
    check_reference(text, setting="IMAGE")
    for wrong in (
        f"{text} ",
        f" {text}",
        f"{text}\n",
        f"/{text}",
        f"{text}/",
        f"http://{text}",
        f"{text}@",
        f"{text}:",
    ):
        with pytest.raises(InputError):
            check_reference(wrong, setting="IMAGE")


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "a:", "a@", "A", "a/B", "a..b", "a/b..c", "a___b", "-a", "a-", "a/-b", ".a", "a.", "a//b",
        "a:b:c/d:e", "a b", "a:t g",
        "a..b.c/d", "a-.b.c/d", "host:port/a", "host:/a", "a@sha256:" + "0" * 63, "a@sha256:" + "A" * 64,
        "a@sha256:" + "0" * 65, "a@sha512:" + SHA, "a@md5:" + "0" * 20, SHA, "x" * 256,
        f"r.example.com/{'x/' * 130}y", "a:" + "t" * 129,
        "größe:1", "a:é", "a:${TAG}", "a:{{tag}}", "a:<none>", "a:1\u2028", "a:1\0", "\ud83d", "x" * 1_000_000,
        "a-" * 100_000,
        "a." * 100_000 + "/", "a_" * 50_000 + "!",
    ],
    ids=lambda text: ascii(text)[:30],
)  # fmt: skip
def test_what_is_no_reference_is_refused_shortly(text: str) -> None:
    with pytest.raises(InputError) as caught:
        check_reference(text, setting="IMAGE")
    assert str(caught.value).startswith("IMAGE=")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("seed", range(60))
def test_random_bytes_in_the_file_are_edited_or_refused(seed: int) -> None:
    dice = random.Random(seed)
    alphabet = bytes(range(256)) if seed % 2 else b"image: \n\r-'\"{}[],&*!|>%#?\t@`\\xab"
    raw = bytes(dice.choice(alphabet) for _ in range(dice.randrange(400)))
    for before in (raw, b"image: a\n" + raw, raw + b"\nimage: a\n"):
        try:
            edit = set_values(before, {"image": "b"}, name="f.yaml", remove=("build",))
        except (InputError, WorkError):
            continue
        assert set_values(edit.after, {"image": "b"}, name="f.yaml").previous == "b"


BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 40))
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 40))


@pytest.mark.parametrize("text", [BOMB, MERGES + "<<: *a39\n", "a: &a {<<: *a}\n<<: *a\n", "a: &a [*a]\n"])
def test_aliases_that_explode_are_never_followed(text: str) -> None:
    edit = set_values(text.encode(), {"image": "b"}, name="f.yaml")
    assert edit.after.decode() == f"{text}image: b\n"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "{? ", "[{a: "])
@pytest.mark.parametrize("depth", [201, 10_000, 500_000])
def test_what_is_nested_deeply_is_refused(opening: str, depth: int) -> None:
    with pytest.raises(InputError, match="nested more than 200 levels deep"):
        set_values((opening * depth).encode(), {"image": "b"}, name="f.yaml")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with a kit.yaml, made with git's own plumbing."""
    folder = tmp_path_factory.mktemp("hostile") / "deployments.git"

    def git(*arguments: str, text: str = "") -> str:
        author = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", "-C", folder, *arguments], input=text, env=author, text=True, capture_output=True, check=True
        )
        return done.stdout.strip()

    folder.mkdir()
    git("init", "-q", "--bare", "-b", "master", ".")
    blob = git("hash-object", "-w", "--stdin", text="images: {path: images, property: image}\n")
    tree = git("mktree", text=f"100644 blob {blob}\tkit.yaml\n")
    git("update-ref", "refs/heads/master", git("commit-tree", tree, "-m", "first"))
    return folder


def run(repository: Path, **others: str) -> tuple[int, str]:
    stream = io.StringIO()
    env = {
        "KIT_GIT_URL": str(repository),
        "DOCKER_REPO": "shop/cart",
        "CI_BRANCH": "master",
        "IMAGE": "registry.example.com/shop/cart:1",
        **others,
    }
    return main(STEP, [], env, stdout=stream, stderr=stream), stream.getvalue()


WRONG = ["maybe", "-1", "1.5x", "[]", "{", "\udc80", "a\0b", "nan", "1e999", "x" * 100_000]


@pytest.mark.parametrize("item", list(declared(STEP.settings)), ids=lambda item: item.field)
@pytest.mark.parametrize("value", WRONG, ids=lambda value: ascii(value)[:10])
def test_whatever_a_setting_holds_the_end_is_a_sentence(item: Setting, value: str, repository: Path) -> None:
    code, log = run(repository, **{"KIT_DEADLINE": "2", "RETRIES": "0", item.variables[0]: value})
    assert code in {0, 1, 2, 70}, log
    assert "in a way it does not know" not in log, log[:3000]
    assert "Traceback" not in log
    assert log.splitlines()[-1].startswith("result=")
    assert len(log) < 20_000 + 4 * len(value), "a long value is repeated a few times at most"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("COMMIT", ["maybe", "2", "ja"]), ("RETRIES", ["-1", "1.5", "many"]), ("RETRY_INCREMENT", ["-1", "soon",
        "nan"]),
        ("KIT_DEADLINE", ["0", "-5", "inf", "nan", ""]), ("KIT_ALLOW_PULL_REQUEST", ["nein"]), ("DOCKER_REPO",
        UNFIT[2:]),
        ("IMAGE", ["a b", "A"]), ("KIT_GIT_BRANCH", ["a..b", "-x"]),
    ],
)  # fmt: skip
def test_a_setting_of_the_wrong_type_is_named(field: str, values: list[str], repository: Path) -> None:
    for value in values:
        if not value:
            continue
        code, log = run(repository, **{field: value})
        assert code == 2, (value, log)
        assert field.removeprefix("KIT_") in log
