# SPDX-License-Identifier: MIT
"""Who a container's process becomes: decided from the mounts, the settings and the owners of folders."""

import os
from collections.abc import Mapping

import pytest

from kit_core.mounts import Folder, Identity, Mount, Place, able, choose_identity, folders_told, parse_mounts, places

MOUNTINFO = r"""
569 448 0:49 / / rw,relatime master:191 - overlay overlay rw,lowerdir=/a,upperdir=/b
570 569 0:52 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
571 569 0:53 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
572 571 0:54 / /dev/pts rw,nosuid,noexec,relatime - devpts devpts rw,gid=5,mode=620
573 569 0:55 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
575 569 254:0 /srv/repo /manifests rw,relatime - ext4 /dev/vda rw
576 569 254:0 /srv/out /with\040space ro,relatime - ext4 /dev/vda rw
577 569 0:60 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw,mode=1777
578 569 0:61 / /run/secrets/kubernetes.io/serviceaccount ro - tmpfs tmpfs rw
579 569 254:0 /srv/disk /disk rw,relatime - ext4 /dev/vda ro
"""


def directory(uid: int, gid: int, mode: int = 0o755) -> os.stat_result:
    return os.stat_result((0o040000 | mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


def file(uid: int) -> os.stat_result:
    return os.stat_result((0o100644, 0, 0, 1, uid, uid, 0, 0, 0, 0))


class Disk:
    """Stands in for `os.stat`."""

    def __init__(self, entries: Mapping[str, os.stat_result | OSError]) -> None:
        self.entries = entries

    def __call__(self, path: str) -> os.stat_result:
        found = self.entries.get(path, FileNotFoundError(2, "No such file or directory"))
        if isinstance(found, OSError):
            raise found
        return found


def place(uid: int, *, writable: bool = True, shared: bool = False) -> Place:
    return Place(f"/of-{uid}", Identity(uid, uid), writable, shared)


def test_mounts_are_those_that_somebody_made() -> None:
    assert parse_mounts(MOUNTINFO) == (
        Mount("/manifests", True, "ext4"),
        Mount("/with space", False, "ext4"),
        Mount("/tmp", True, "tmpfs"),
        Mount("/disk", False, "ext4"),
    )


def test_garbage_is_no_mount() -> None:
    assert parse_mounts("\nnonsense\n1 2 3 - x\n") == ()


FOLDERS = (
    Folder("REPORT_DIR"),
    Folder("MANIFESTS_DIR", default="/manifests", original=True),
    Folder("CONFIGS", default="/configs/**/kubeconfig", original=True, file=True),
)


@pytest.mark.parametrize(
    ("arguments", "env", "expected"),
    [
        ([], {}, ["/manifests", "/configs", "/here"]),
        ([], {"KIT_REPORT_DIR": "out"}, ["/here/out", "/manifests", "/configs", "/here"]),
        ([], {"REPORT_DIR": "/out"}, ["/manifests", "/configs", "/here"]),
        ([], {"MANIFESTS_DIR": "/a", "KIT_MANIFESTS_DIR": "/b"}, ["/b", "/configs", "/here"]),
        ([], {"MANIFESTS_DIR": ""}, ["/manifests", "/configs", "/here"]),
        (["--manifests-dir", "/c"], {"KIT_MANIFESTS_DIR": "/b"}, ["/c", "/configs", "/here"]),
        (["status", "--manifests-dir=/c/../d"], {}, ["/d", "/configs", "/here"]),
        (["--manifests-dir"], {}, ["/manifests", "/configs", "/here"]),
        ([], {"CONFIGS": "/k/one/kubeconfig"}, ["/manifests", "/k/one", "/here"]),
        ([], {"CONFIGS": "/k/{a,b}/kubeconfig"}, ["/manifests", "/k", "/here"]),
        ([], {"KIT_REPORT_DIR": "file:///srv/git"}, ["/srv/git", "/manifests", "/configs", "/here"]),
        ([], {"GITHUB_WORKSPACE": "/github/workspace"}, ["/manifests", "/configs", "/here", "/github/workspace"]),
    ],
)
def test_folders_come_from_options_then_variables_then_defaults(
    arguments: list[str], env: dict[str, str], expected: list[str]
) -> None:
    assert folders_told(FOLDERS, arguments, env, "/here") == expected


def test_the_owner_of_the_first_folder_told_wins() -> None:
    assert choose_identity([place(1000), place(2000)], [place(3000)]) == Identity(1000, 1000)


def test_root_stays_root_where_root_owns_the_folder() -> None:
    assert choose_identity([place(0)], [place(1000)]) == Identity(0, 0)


def test_a_folder_that_can_be_written_comes_before_one_that_cannot() -> None:
    assert choose_identity([place(1000, writable=False)], [place(2000)]) == Identity(2000, 2000)
    assert choose_identity([place(1000, writable=False)], [place(2000, writable=False)]) == Identity(1000, 1000)


def test_nothing_mounted_means_the_images_own_user() -> None:
    assert choose_identity([], []) == Identity(65532, 65532)


def test_a_folder_for_everybody_says_nothing() -> None:
    assert choose_identity([place(0, shared=True)], []) == Identity(65532, 65532)


MOUNTS = (Mount("/manifests", True, "ext4"), Mount("/manifests/out", False, "ext4"), Mount("/tmp", True, "tmpfs"))


def test_a_path_stands_for_the_nearest_folder_that_exists_on_its_mount() -> None:
    disk = Disk({"/": directory(0, 0), "/manifests": directory(1000, 100), "/manifests/a": directory(1001, 101)})
    found = places(["/manifests/a/b/c", "/manifests/new", "/etc", "/manifestsother"], MOUNTS, disk)
    assert [(item.path, item.owner) for item in found] == [
        ("/manifests/a", Identity(1001, 101)),
        ("/manifests", Identity(1000, 100)),
    ]


def test_the_deepest_mount_says_whether_it_can_be_written() -> None:
    disk = Disk({"/manifests": directory(1, 1), "/manifests/out": directory(2, 2)})
    assert [item.writable for item in places(["/manifests", "/manifests/out/x"], MOUNTS, disk)] == [True, False]


def test_of_two_mounts_on_one_point_the_later_one_counts() -> None:
    mounts = (Mount("/manifests", True, "ext4"), Mount("/manifests", False, "ext4"))
    assert [item.writable for item in places(["/manifests"], mounts, Disk({"/manifests": directory(1, 1)}))] == [False]


def test_files_and_folders_that_refuse_are_passed_over() -> None:
    disk = Disk({"/manifests": PermissionError(13, "Permission denied"), "/tmp": file(7)})
    assert places(["/manifests", "/tmp"], MOUNTS, disk) == []


def test_the_sticky_bit_and_everybodys_write_bit_make_a_folder_shared() -> None:
    disk = Disk({"/tmp": directory(0, 0, 0o1777), "/manifests": directory(5, 5, 0o777)})
    assert [item.shared for item in places(["/tmp", "/manifests"], MOUNTS, disk)] == [True, False]


def socket(uid: int, gid: int, mode: int) -> os.stat_result:
    return os.stat_result((0o140000 | mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("whose", "expected"),
    [
        (socket(0, 998, 0o660), Identity(1000, 1000, (998,))),
        (socket(0, 0, 0o660), Identity(1000, 1000, (0,))),
        (socket(0, 1000, 0o660), Identity(1000, 1000)),
        (socket(0, 998, 0o666), Identity(1000, 1000)),
        (socket(1000, 998, 0o660), Identity(1000, 1000)),
        (socket(2000, 2000, 0o600), Identity(2000, 2000)),
        (socket(0, 0, 0o600), Identity(0, 0)),
        (socket(0, 998, 0o440), Identity(1000, 1000)),
    ],
)
def test_what_a_step_cannot_do_without_has_a_say_in_who_it_becomes(whose: os.stat_result, expected: Identity) -> None:
    """The file's group is enough where it may use it; where only its owner may, it is the owner that works."""
    assert able(Identity(1000, 1000), os.W_OK, whose) == expected


def test_root_without_its_rights_needs_the_group_as_well() -> None:
    assert able(Identity(0, 0), os.W_OK, socket(2000, 998, 0o660)) == Identity(0, 0, (998,))
    assert able(Identity(0, 0), os.W_OK, socket(0, 998, 0o660)) == Identity(0, 0)
