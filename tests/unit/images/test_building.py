# SPDX-License-Identifier: MIT
"""What the images' recipe and build decide without Docker."""

from __future__ import annotations

import ast
import fnmatch
import re
from importlib import import_module
from pathlib import Path

import pytest

from images.build import IMAGES, ROOT, Image, published_address, table, tags, too_large
from images.contents import Component, bill
from images.measure import Size
from images.recipe.dependencies import HERE, libraries, normal, unfit_packages, without
from images.recipe.system import leave_out, patterns
from kit_core.declare import declared


def test_tags_go_from_the_one_that_never_moves_to_the_newest_commit() -> None:
    assert tags("1.20.3") == ("1.20.3", "1.20", "1", "edge")


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://git.example.com/kit.git", "https://git.example.com/kit.git"),
        ("https://someone:secret@git.example.com/kit.git", "https://git.example.com/kit.git"),
        ("git@git.example.com:team/kit.git", "ssh://git.example.com/team/kit.git"),
        ("/srv/git/kit.git", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_source_label_holds_no_credentials_and_no_folder(remote: str, address: str) -> None:
    assert published_address(remote) == address


def test_an_image_over_either_limit_is_told() -> None:
    image = Image("kit-x", 70, 30)
    assert not too_large(image, Size(70_000_000, 30_000_000))
    assert too_large(image, Size(70_000_001, 1))
    assert too_large(image, Size(1, 30_000_001))
    assert table([(image, Size(70_000_001, 1))]).endswith("too large")


LOCK = """# a comment
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via kit
Beta_Gamma==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:cc
beta-gamma-delta[extra]==3.0 \\
    --hash=sha256:dd
"""


def test_a_library_comes_with_the_distribution_that_loads_it() -> None:
    listed = ["beta_gamma libbeta3", "gamma libgamma", "Beta.Gamma-Delta libdelta1"]
    assert libraries(listed, LOCK) == ["libbeta3", "libdelta1"]


def test_a_distribution_left_out_takes_its_hashes_with_it() -> None:
    assert without(LOCK, {"beta-gamma"}) == LOCK.replace(
        "Beta_Gamma==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:cc\n", ""
    )
    assert without(LOCK, set()) == LOCK


def test_a_package_of_debians_that_does_not_fit_is_told(tmp_path: Path) -> None:
    (tmp_path / "python3-alpha").write_text("Package: python3-alpha\nVersion: 1:43.0.0-3+deb13u1\n")
    (tmp_path / "python3-beta").write_text("Package: python3-beta\nVersion: 4.20.0-2.1+b1\n")
    assert unfit_packages(["alpha==43.0.*"], tmp_path) == []
    assert unfit_packages(["beta==4.2.*", "gamma==1.*"], tmp_path) == [
        "beta==4.2.*, but python3-beta is 4.20.0",
        "gamma==1.*, but python3-gamma is not there",
    ]


@pytest.mark.parametrize("lock", ["dev", "image-deployer", "deploymentizer", "deployer"])
def test_the_locks_have_what_debian_has(lock: str) -> None:
    """Tests on the machine run with the versions that ship."""
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "locks" / f"{lock}.txt").read_text(), re.MULTILINE))
    wanted = dict(line.split("==") for line in patterns(HERE / "from-debian.txt"))
    assert "cryptography" in locked
    assert [
        name for name, versions in wanted.items() if not fnmatch.fnmatch(locked.get(normal(name), versions), versions)
    ] == []


def test_leaving_out_takes_folders_that_became_empty_and_names_what_matched_nothing(tmp_path: Path) -> None:
    for name in ("usr/share/man/man1/x.1", "usr/lib/a.so", "usr/lib/gconv/b.so", "usr/share/doc/p/copyright"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "usr/share/doc/p/changelog.gz").write_text("x")
    (tmp_path / "usr/bin").symlink_to("lib")
    assert leave_out(tmp_path, ["usr/share/man/*", "usr/lib/gconv/*", "opt/*"]) == ["opt/*"]
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir())
    assert left == ["usr/lib/a.so", "usr/share/doc/p/copyright"]
    assert not (tmp_path / "usr/share/man").exists()
    assert (tmp_path / "usr/bin").is_symlink()


@pytest.mark.parametrize("image", [image.name for image in IMAGES])
def test_an_entrypoint_names_settings_of_its_step(image: str) -> None:
    """A folder that is found by a variable's name would silently not be found after a change of that name."""
    settings = import_module(image.replace("-", "_") + ".cli").STEP.settings
    names = {name for item in declared(settings) for name in item.variables}
    calls = [
        node
        for node in ast.walk(ast.parse((ROOT / "images" / image / "entrypoint").read_text()))
        if isinstance(node, ast.Call)
    ]
    folders = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Folder"]
    assert folders
    for call in folders:
        variable = ast.literal_eval(call.args[0])
        original = any(keyword.arg == "original" for keyword in call.keywords)
        assert {f"KIT_{variable}", *([variable] if original else [])} <= names


def test_lists_have_comments(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("# why\n\na/*  # because\nb\n")
    assert patterns(tmp_path / "list") == ["a/*", "b"]


def test_the_list_of_contents_has_package_urls() -> None:
    found = [
        Component("deb", "libc6", "2.41-12+deb13u5", "amd64"),
        Component("pypi", "typer", "0.28.0", licence="MIT"),
        Component("pypi", "Typing_Extensions", "4.16.0"),
    ]
    document = bill("kit-x:1.0.0", "sha256:ab", {"org.opencontainers.image.created": "2026-01-01T00:00:00Z"}, found)
    components = document["components"]
    assert isinstance(components, list)
    assert [item["purl"] for item in components] == [
        "pkg:deb/debian/libc6@2.41-12%2Bdeb13u5?arch=amd64&distro=debian-13",
        "pkg:pypi/typer@0.28.0",
        "pkg:pypi/typing-extensions@4.16.0",  # as indexes compare names: scanners look for this one only
    ]
    assert document["metadata"] == {
        "timestamp": "2026-01-01T00:00:00Z",
        "component": {
            "type": "container",
            "bom-ref": "kit-x@sha256:ab",
            "name": "kit-x",
            "version": "1.0.0",
            "description": "",
            "licenses": [{"license": {"id": "MIT"}}],
        },
    }
