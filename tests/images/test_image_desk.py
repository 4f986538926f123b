# SPDX-License-Identifier: MIT
"""What people do at their desk with nothing but `docker run`: a new repository, and a watch that Ctrl-C ends."""

from __future__ import annotations

import os
import time

from testbed.docker import docker
from tests.images.running import Image


def test_a_new_repository_is_made_grows_and_renders_as_the_folders_owner(deploymentizer: Image) -> None:
    work = deploymentizer.owned(4321)
    options = ("-v", f"{work}:/manifests")
    for arguments in (
        ["init"],
        ["new", "service", "web", "--image", "registry.example.com/shop/web:1.0"],
        ["new", "cluster", "production", "--type", "production"],
        ["render", "--validate", "error"],
        ["lint", "--exit-code"],
    ):
        done = deploymentizer.run(*arguments, options=options)
        assert done.code == 0, (arguments, done.text)
        assert "warning" not in done.text
    manifests = sorted(path.name for path in (work / "generated").glob("*/*.yaml"))
    assert manifests == sorted(["hello-deployment.yaml", "hello.yaml", "web-deployment.yaml", "web.yaml"] * 2)
    made = [path for path in work.rglob("*") if ".kit" not in path.parts]
    assert len(made) > 20
    assert {os.lstat(path).st_uid for path in made} == {4321}


def test_a_watch_ends_at_ctrl_c(deploymentizer: Image) -> None:
    work = deploymentizer.owned(4321)
    assert deploymentizer.run("init", options=("-v", f"{work}:/manifests")).code == 0
    name = deploymentizer.start("watch", options=("-v", f"{work}:/manifests"))
    end = time.monotonic() + 60
    while "Watching 1 cluster with 2 files" not in (told := docker("logs", name).stderr):
        assert time.monotonic() < end, told
        time.sleep(0.1)
    docker("kill", "--signal", "INT", name)
    assert docker("wait", name).stdout.strip() == "130"
