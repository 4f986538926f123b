# SPDX-License-Identifier: MIT
"""The program and the library against a repository in a folder; what the log holds, and what it never does."""

import doctest
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dulwich.objects import Blob, Commit, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

import kit_image_deployer
from kit_core.entry import main
from kit_image_deployer import promote_images, update_image
from kit_image_deployer.cli import STEP
from kit_image_deployer.git.local import LocalRemote

KIT = b"images: {path: images, property: image}\n"
MASTER = Ref(b"refs/heads/master")
NEW = "registry.example.com/shop/cart:2"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "deployments.git"
    with Repo.init_bare(str(folder), mkdir=True) as repo:
        blob, root = Blob.from_string(KIT), Tree()
        root.add(b"kit.yaml", 0o100644, blob.id)
        commit = Commit()
        commit.tree = root.id
        commit.author = commit.committer = b"A <a@example.com>"
        commit.author_time = commit.commit_time = 0
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"First\n"
        for item in (blob, root, commit):
            repo.object_store.add_object(item)
        repo.refs[MASTER] = commit.id
        repo.refs.set_symbolic_ref(Ref(b"HEAD"), MASTER)
    return folder


def run(repository: Path | str, *arguments: str, **env: str) -> tuple[int, str]:
    stream = io.StringIO()
    settings = {"KIT_GIT_URL": str(repository), "DOCKER_REPO": "shop/cart", "CI_BRANCH": "master", "IMAGE": NEW, **env}
    code = main(STEP, arguments, settings, stdout=stream, stderr=stream)
    return code, stream.getvalue()


def head(repository: Path) -> bytes:
    with Repo(str(repository)) as repo:
        return repo.refs[MASTER]


def test_a_repository_in_a_folder(repository: Path) -> None:
    first = head(repository)
    assert run(f"file://{repository}")[0] == 0
    assert head(repository) == first
    code, log = run(repository, COMMIT="true")
    assert code == 0
    assert log.splitlines()[-1].startswith(f"result=updated image={NEW} file=images/shop/cart/master.yaml")
    with Repo(str(repository)) as repo:
        commit = repo[head(repository)]
        assert isinstance(commit, Commit)
        assert commit.parents == [first]
    assert "result=unchanged" in run(repository, COMMIT="true")[1]
    assert run(repository, KIT_GIT_BRANCH="nowhere")[0] == 2


def test_a_branch_that_is_checked_out_is_left_alone(repository: Path) -> None:
    with Repo(str(repository)) as repo:
        config = repo.get_config()
        config.set((b"core",), b"bare", False)
        config.write_to_path()
    before = head(repository)
    code, log = run(repository, COMMIT="true")
    assert code == 1
    assert "checked out" in log
    assert head(repository) == before


def test_writers_of_one_folder_lose_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one is faster between our reading and our push; then the branch's lock is held for a moment."""
    push, pushes = LocalRemote.push, []
    lock = repository / "refs" / "heads" / "master.lock"

    def meddle(remote: LocalRemote, *arguments: Any) -> None:
        pushes.append(arguments)
        if len(pushes) == 1:
            assert run(repository, COMMIT="true", DOCKER_REPO="shop/web")[0] == 0
        if len(pushes) == 3:  # the second one is that of the other writer
            lock.touch()
        try:
            push(remote, *arguments)
        finally:
            lock.unlink(missing_ok=True)

    monkeypatch.setattr(LocalRemote, "push", meddle)
    code, log = run(repository, COMMIT="true")
    assert code == 0, log
    assert "someone else pushed first (the branch has moved)" in log
    assert "someone else pushed first (another push holds the branch's lock)" in log
    monkeypatch.undo()
    for name in ("shop/cart", "shop/web"):
        assert "result=unchanged" in run(repository, COMMIT="true", DOCKER_REPO=name)[1]


def test_a_huge_kit_yaml_is_not_read(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit_image_deployer.snapshot._LARGEST_KIT_FILE", len(KIT) - 1)
    code, log = run(repository)
    assert code == 2
    assert f"kit.yaml has {len(KIT)} bytes" in log


def test_the_guard_has_no_say_in_a_promotion_of_the_library(repository: Path) -> None:
    assert run(repository, COMMIT="true")[0] == 0
    outcome = promote_images(str(repository), "master", "production", source_dir=Path("/nowhere"), commit=True)
    assert outcome.result == "updated"


def test_a_folder_with_sha256_objects_is_refused(tmp_path: Path) -> None:
    with Repo.init_bare(str(tmp_path), object_format="sha256"):
        pass
    code, log = run(tmp_path, COMMIT="true")
    assert code == 1
    assert "names its objects by sha256" in log


def test_a_folder_that_lacks_objects_is_told(repository: Path) -> None:
    with Repo(str(repository)) as repo:
        commit = repo[repo.refs[MASTER]]
        assert isinstance(commit, Commit)
        name = commit.tree.decode()
    (repository / "objects" / name[:2] / name[2:]).unlink()
    code, log = run(repository, COMMIT="true")
    assert code == 1
    assert f"the object {name} is missing" in log


def test_options_say_the_same_as_variables(repository: Path) -> None:
    code, log = run(repository, "--commit", "--image", "registry.example.com/shop/cart:3", "--git-branch", "master")
    assert code == 0
    assert "image=registry.example.com/shop/cart:3" in log


def test_the_packages_example_works(repository: Path) -> None:
    text = (kit_image_deployer.__doc__ or "").replace("/srv/deployments.git", str(repository))
    example = doctest.DocTestParser().get_doctest(text, {}, "kit_image_deployer", None, None)
    results = doctest.DocTestRunner().run(example)
    assert (results.failed, results.attempted) == (0, 3)


def test_a_library_call_without_commit_tells_what_would_change(repository: Path) -> None:
    outcome = update_image(str(repository), repository="shop/cart", branch="master", image="1e3")
    assert outcome.result == "dry-run"
    assert '+image: "1e3"\n' in outcome.diff
    assert outcome.diff.startswith("--- /dev/null\n+++ b/images/shop/cart/master.yaml\n")
    assert outcome.message.endswith("Kit-Image: 1e3\n")


def test_a_foreign_message_cannot_command_the_ci(repository: Path) -> None:
    code, log = run(
        repository, CI_COMMIT_MESSAGE="Hi\n::set-output name=x::y\n##vso[task.x]\n\x1b[31mred", GITHUB_ACTIONS="true"
    )
    assert code == 0
    assert not re.search(r"^\s*::set-output|##vso|\x1b", log, re.MULTILINE)


def test_secrets_appear_nowhere(repository: Path, tmp_path: Path) -> None:
    canaries = {"KIT_GIT_PASSWORD": "canary-1-xyz", "GITHUB_AUTH_TOKEN": "canary-2-xyz"}
    urls: list[Path | str] = [
        repository,
        tmp_path / "gone",
        "https://me:canary-3-xyz@127.0.0.1:1/x.git",
        "http://canary:1:2/x",
        "ssh://x",
    ]
    for url in urls:
        _, log = run(url, DEBUG="true", RETRIES="0", COMMIT="true", CI_COMMIT_MESSAGE="has canary-1-xyz", **canaries)
        assert "-xyz" not in log


def test_help_names_every_setting_and_loads_nothing_heavy() -> None:
    script = (
        "import sys; from kit_core.entry import main; from kit_image_deployer.cli import STEP\n"
        "code = main(STEP, ['--help'], {})\n"
        "heavy = {'dulwich', 'urllib3', 'yaml', 'ssl', 'typer', 'difflib'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": ":".join(sys.path)})  # fmt: skip
    for name in ("COMMIT", "GITHUB_AUTH_TOKEN", "KIT_GIT_URL", "DOCKER_REPO", "CI_COMMITTER_MESSAGE", "KIT_DEADLINE"):
        assert name in done.stdout
