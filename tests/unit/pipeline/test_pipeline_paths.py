# SPDX-License-Identifier: MIT
"""In a container of its own, kit-pipeline tells the engine the machine's paths, not its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import NotFound

from kit_core.errors import InputError
from kit_pipeline.engine.paths import Here, Paths, paths_of

OURS, OTHER = "a1" * 32, "b2" * 32
UPPER = "/var/lib/docker/overlay2/5e/diff"


def mountinfo(*points: str, container: str = OURS, upper: str = UPPER, driver: str = "overlay") -> str:
    options = f"rw,lowerdir=/a:/b,upperdir={upper},workdir=/w" if upper else "rw"
    lines = [f"1 0 0:50 / / rw,relatime master:1 - {driver} {driver} {options}"]
    lines += ["2 1 0:51 / /proc rw - proc proc rw"]
    lines += [
        f"3 1 254:0 /docker/containers/{container}/{name} /etc/{name} rw - ext4 /dev/vda rw"
        for name in ("resolv.conf", "hostname", "hosts")
    ]
    return "\n".join([*lines, *(f"4 1 254:0 /srv {point} rw - ext4 /dev/vda rw" for point in points)])


class Engine:
    """Knows these containers, and counts what it is asked."""

    def __init__(self, *containers: dict[str, Any]) -> None:
        self._containers = {container["Id"]: container for container in containers}
        self.asked: list[str] = []

    def inspect_container(self, name: str) -> dict[str, Any]:
        self.asked.append(name)
        for id_, container in self._containers.items():
            if id_.startswith(name):
                return container
        raise NotFound("No such container", response=SimpleNamespace(status_code=404))

    def containers(self) -> list[dict[str, str]]:
        return [{"Id": id_} for id_ in self._containers]


def container(id_: str, mounts: Sequence[tuple[str, str]], upper: str | None = UPPER) -> dict[str, Any]:
    return {
        "Id": id_,
        "GraphDriver": {"Data": {"UpperDir": upper} if upper else None},
        "Mounts": [{"Destination": point, "Source": source} for point, source in mounts],
    }


SHOP = container(OURS, [("/repo", "/home/ada/shop")])


def test_outside_of_containers_a_path_is_the_machines() -> None:
    paths = paths_of(Engine(SHOP), Here(mounts="1 0 8:1 / / rw - ext4 /dev/sda rw", host_name="laptop"))
    assert paths.on_machine(Path("/repo/x")) == "/repo/x"


@pytest.mark.parametrize(
    "here",
    [
        Here(mounts=mountinfo("/repo"), host_name="any"),
        Here(mounts=mountinfo("/repo", container="x"), cgroups=f"9:pids:/docker/{OURS}\n0::/"),
        Here(mounts=mountinfo("/repo", container="x"), cgroups=f"0::/system.slice/docker-{OURS}.scope"),
        Here(mounts=mountinfo("/repo", container="x"), cgroups="0::/", host_name=OURS[:12]),
        Here(mounts=mountinfo("/repo", container="x"), cgroups="0::/", host_name="shop", marked=True),
        Here(mounts=mountinfo("/repo", container=OTHER), cgroups="0::/", host_name=OTHER[:12], marked=True),
    ],
    ids=["mounts", "first cgroups", "second cgroups", "host name", "nothing says it", "another one's network"],
)
def test_our_container_is_found_by_whatever_names_it(here: Here) -> None:
    other = container(OTHER, [("/repo", "/home/eve/other")], "/var/lib/docker/overlay2/66/diff")
    paths = paths_of(Engine(other, SHOP), here)
    assert paths.on_machine(Path("/repo/a/b")) == "/home/ada/shop/a/b"
    assert paths.container == OURS


def test_without_an_overlay_a_container_is_ours_if_it_is_mounted_as_here() -> None:
    engine = Engine(container(OURS, [("/repo", "/home/ada/shop"), ("/run/secrets/x", "/x")], None))
    here = Here(mounts=mountinfo("/repo", upper="", driver="zfs"))
    assert paths_of(engine, here).on_machine(Path("/repo")) == "/home/ada/shop"
    elsewhere = Here(mounts=mountinfo("/work", upper="", driver="zfs"))
    assert not paths_of(engine, elsewhere).contained


def test_an_engine_that_does_not_know_us_gets_paths_as_they_are() -> None:
    """A CI's engine beside the job: what both see, both see under the same name."""
    paths = paths_of(Engine(), Here(mounts=mountinfo("/builds"), host_name="runner", marked=True))
    assert paths.on_machine(Path("/builds/shop/data")) == "/builds/shop/data"


def test_on_a_machine_no_container_is_asked_for() -> None:
    engine = Engine(SHOP)
    text = (
        f"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:5 / /var/lib/docker/containers/{OURS}/mounts/shm rw - tmpfs shm rw"
    )
    assert not paths_of(engine, Here(mounts=text, cgroups="0::/user.slice", host_name="laptop")).contained
    assert engine.asked == []


MOUNTED = Paths(
    {
        PurePosixPath("/repo"): "/home/ada/shop",
        PurePosixPath("/repo/cache"): "/var/lib/docker/volumes/cache/_data",
        PurePosixPath("/s"): "",
    },
    frozenset(map(PurePosixPath, ("/repo", "/repo/cache", "/repo/tmp", "/s"))),
    contained=True,
)


def test_the_deepest_mount_counts() -> None:
    assert MOUNTED.on_machine(Path("/repo/cache/npm")) == "/var/lib/docker/volumes/cache/_data/npm"
    assert MOUNTED.on_machine(Path("/repo/cached")) == "/home/ada/shop/cached"


@pytest.mark.parametrize("path", ["/repo/tmp", "/repo/tmp/x", "/s", "/usr/share", "/repository"])
def test_what_only_our_container_has_is_an_error_that_names_it(path: str) -> None:
    with pytest.raises(InputError) as raised:
        MOUNTED.on_machine(Path(path))
    assert path in str(raised.value)
    assert "-v" in str(raised.value.hint)
