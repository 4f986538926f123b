# SPDX-License-Identifier: MIT
"""What a run tells of its outcome: the last line, the JSON log, and the CI's step outputs."""

import io
import json
from pathlib import Path

import pytest
from dulwich.refs import Ref
from dulwich.repo import Repo

from kit_core.entry import main
from kit_image_deployer import ImageUpdate, promote_images, update_images
from kit_image_deployer.cli import STEP
from tests.unit.image_deployer.bare import bare_repository

IMAGES = "shop/cart@m=r/cart:2\nshop/web@m=r/web:2"
CART, WEB = "images/shop/cart/m.yaml", "images/shop/web/m.yaml"
GUARD = {"KIT_BUILD_SOURCE": "ci shop"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return bare_repository(tmp_path / "deployments.git")


def run(repository: Path, *arguments: str, **env: str) -> list[str]:
    stream = io.StringIO()
    settings = {"KIT_GIT_URL": str(repository), "COMMIT": "true", **env}
    assert main(STEP, arguments, settings, stdout=stream, stderr=stream) == 0, stream.getvalue()
    return stream.getvalue().splitlines()


def head(repository: Path) -> str:
    with Repo(str(repository)) as repo:
        return repo.refs[Ref(b"refs/heads/master")].decode()


def test_step_outputs_of_github(repository: Path, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(outputs), "GITHUB_REF": "refs/heads/m"}

    def seen(**env: str) -> dict[str, str]:
        outputs.write_text("")
        run(repository, **github, **env)
        return dict(line.split("=", 1) for line in outputs.read_text().splitlines())

    one = {"DOCKER_REPO": "shop/cart", "IMAGE": "r/cart:1"}
    assert seen(**one) == {
        "result": "updated", "image": "r/cart:1", "file": CART, "branch": "master", "commit": head(repository),
    }  # fmt: skip
    assert seen(**one) == {"result": "unchanged", "image": "r/cart:1", "file": CART, "branch": "master"}
    assert seen(KIT_IMAGES=IMAGES) == {
        "result": "updated", "image": "r/cart:2,r/web:2", "file": f"{CART},{WEB}", "branch": "master",
        "commit": head(repository), "updated": "2",
    }  # fmt: skip
    build = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/cart", "GITHUB_WORKFLOW": "Build"}
    seen(DOCKER_REPO="shop/cart", IMAGE="r/cart:8", KIT_BUILD_NUMBER="8", **build)
    assert seen(DOCKER_REPO="shop/cart", IMAGE="r/cart:7", KIT_BUILD_NUMBER="7", **build) == {
        "result": "superseded", "image": "r/cart:7", "file": CART, "branch": "master", "previous": "r/cart:8",
    }  # fmt: skip


def test_the_json_log_tells_of_each_file(repository: Path) -> None:
    run(repository, KIT_IMAGES="shop/cart@m=r/cart:8", KIT_BUILD_NUMBER="8", **GUARD)
    run(repository, KIT_IMAGES="shop/web@m=r/web:2")
    lines = [
        json.loads(line)
        for line in run(
            repository, KIT_IMAGES=IMAGES + "\na@m=r/a:1", KIT_BUILD_NUMBER="7", KIT_LOG_FORMAT="json", **GUARD
        )
    ]
    told = [(line["file"], line["image"], line["result"]) for line in lines[:-1] if "result" in line]
    assert told == [(CART, "r/cart:2", "superseded"), (WEB, "r/web:2", "unchanged")]
    last = {key: lines[-1][key] for key in ("result", "image", "file", "commit", "superseded", "unchanged", "updated")}
    assert last == {
        "result": "updated", "image": "r/a:1", "file": "images/a/m.yaml", "commit": head(repository),
        "superseded": "1", "unchanged": "1", "updated": "1",
    }  # fmt: skip


def test_a_promotion_tells_like_an_update(repository: Path) -> None:
    run(repository, KIT_IMAGES=IMAGES)
    last = run(repository, "promote", "m", "p")[-1]
    files = "images/shop/cart/p.yaml,images/shop/web/p.yaml"
    assert (
        last == f"result=updated image=r/cart:2,r/web:2 file={files} branch=master commit={head(repository)} updated=2"
    )


def test_the_library_tells_of_each_file(repository: Path) -> None:
    wanted = [ImageUpdate(repository="shop/cart", branch="m", image=f"r/cart:{tag}") for tag in (1, 2)]
    first = update_images(str(repository), [wanted[0], wanted[0]], commit=True, author="Ada", message="One")
    assert (first.result, first.path, first.image, first.previous) == ("updated", CART, "r/cart:1", None)
    assert len(first.files) == 1
    both = [wanted[1], ImageUpdate(repository="shop/web", branch="m", image="r/web:1")]
    shown = update_images(str(repository), both)
    assert (shown.result, [item.result for item in shown.files]) == ("dry-run", ["updated", "updated"])
    assert [item.previous for item in shown.files] == ["r/cart:1", None]
    assert f"+++ b/{CART}" in shown.diff
    assert f"+++ b/{WEB}" in shown.diff
    assert shown.commit is None
    promoted = promote_images(str(repository), "m", "p", ["shop/cart"], commit=True)
    assert (promoted.result, promoted.path) == ("updated", "images/shop/cart/p.yaml")
    assert promoted.commit == head(repository)
