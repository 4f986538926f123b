# SPDX-License-Identifier: MIT
"""Under which user a step works, what it may do, and what it says when that is not enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.images.jobs import KUBECONFIG, MANIFEST, REPOSITORY
from tests.images.running import Image

# Where each step works when nothing else is said.
FOLDER = {
    "kit-image-deployer": "/source",
    "kit-deploymentizer": "/manifests",
    "kit-deployer": "/manifests",
    "kit-pipeline": "/repository",
}
# What Docker gives root as HOME, inside the container.
HOME_OF_ROOT = "/root"
NO_CAPABILITIES = ["CapInh:0", "CapPrm:0", "CapEff:0", "CapBnd:0", "CapAmb:0"]

STATUS = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status | tr -d '\\t' | sed -E 's/:0+$/:0/'"


def mounted(image: Image, path: object, mode: str = "rw") -> tuple[str, ...]:
    """Options that mount the folder where this step works."""
    target = FOLDER[image.name]
    return ("-v", f"{path}:{target}:{mode}")


def test_root_becomes_the_owner_of_the_folder_it_works_in(image: Image) -> None:
    work = image.owned(4321)
    folder = FOLDER[image.name]
    done = image.run(
        "sh", "-c", f"id -u; id -g; echo x > {folder}/made; stat -c %u {folder}/made", options=mounted(image, work)
    )
    assert (done.out, done.err) == ("4321\n4321\n4321\n", "")


def test_root_stays_root_on_its_own_folder_without_any_capability(image: Image) -> None:
    work = image.owned(0)
    folder = FOLDER[image.name]
    done = image.run("sh", "-c", f"id -u; echo x > {folder}/made && {STATUS}", options=mounted(image, work))
    assert done.out.splitlines() == ["0", *NO_CAPABILITIES, "NoNewPrivs:1"], done.text


def test_whoever_root_becomes_holds_no_capability_however_many_there_were(image: Image) -> None:
    work = image.owned(4321)
    options = (*mounted(image, work), "--cap-add=ALL", "--cap-drop=SYS_RESOURCE")
    done = image.run("sh", "-c", STATUS, options=options)
    assert done.out.splitlines() == [*NO_CAPABILITIES, "NoNewPrivs:1"], done.text


def test_root_cannot_be_had_back(deployer: Image) -> None:
    """Not by changing users, nor over a file that runs as root."""
    work = deployer.owned(4321)
    deployer.as_root("cp /usr/bin/busybox /folder/work/id && chown 0:0 /folder/work/id && chmod 4755 /folder/work/id")
    done = deployer.run("sh", "-c", f"{FOLDER[deployer.name]}/id -u; su root -c id", options=mounted(deployer, work))
    assert done.out == "4321\n"
    assert done.code != 0


def test_nothing_mounted_means_a_user_of_its_own(image: Image) -> None:
    done = image.run("sh", "-c", "id -u; id -g; id -un; echo $HOME; touch ~/x /tmp/y")
    assert (done.out, done.err) == ("65532\n65532\nkit\n/tmp\n", "")


def test_any_other_mount_tells_the_user_too(deployer: Image) -> None:
    work = deployer.owned(4321)
    assert deployer.run("id", "-u", options=("-v", f"{work}:/anywhere")).out == "4321\n"


def test_a_mount_at_the_working_directory_tells_the_user(deployer: Image) -> None:
    work, other = deployer.owned(4321), deployer.owned(1234, name="other")
    options = ("-v", f"{other}:/a-other", "-v", f"{work}:/github/workspace", "-w", "/github/workspace")
    assert deployer.run("id", "-u", options=options).out == "4321\n"


def test_a_folder_to_write_into_counts_more_than_one_to_read(deployer: Image) -> None:
    work, output = deployer.owned(0), deployer.owned(4321, name="output")
    assert deployer.run("id", "-u", options=(*mounted(deployer, work, "ro"), "-v", f"{output}:/output")).out == "4321\n"


def test_groups_that_were_given_stay(deployer: Image) -> None:
    work = deployer.owned(4321)
    done = deployer.run("id", "-G", options=(*mounted(deployer, work), "--group-add", "777"))
    assert set(done.out.split()) == {"4321", "777"}


def test_root_without_the_right_to_change_users_works_on(deployer: Image) -> None:
    work = deployer.owned(4321)
    done = deployer.run("sh", "-c", f"id -u; {STATUS}", options=(*mounted(deployer, work), "--cap-drop=ALL"))
    lines = done.out.splitlines()
    assert lines[0] == "0"
    assert "CapEff:0" in lines
    assert "NoNewPrivs:1" in lines


@pytest.mark.parametrize("user", ["12345:12345", "0:0"])
def test_any_user_works(image: Image, user: str) -> None:
    done = image.run("--version", options=("--user", user))
    assert (done.code, done.err) == (0, "")


def test_read_only_with_only_a_folder_for_temporary_files(image: Image) -> None:
    options = ("--read-only", "--tmpfs", "/tmp", "--user", "12345:12345")
    assert image.run("--help", options=options).code == 0
    assert image.run("sh", "-c", "touch ~/x && echo $HOME", options=options).out == "/tmp\n"


def test_no_home_is_no_trouble(image: Image) -> None:
    done = image.run(
        "-c",
        f"exec env -u HOME {image.name} sh -c 'echo $HOME; {image.name} --version'",
        options=("--entrypoint", "/bin/sh"),
    )
    assert done.out.startswith(f"/tmp\n{image.name} "), done.text


@pytest.mark.parametrize("terminal", [(), ("-t",)])
def test_standard_streams_can_be_opened_again(deployer: Image, terminal: tuple[str, ...]) -> None:
    """As `tee /dev/stderr` does, and many a script."""
    done = deployer.run("sh", "-c", "echo out > /dev/stdout && echo err > /dev/stderr", options=terminal)
    assert (done.code, sorted(done.text.split())) == (0, ["err", "out"])


def test_a_shell_inside_does_the_same(deployer: Image) -> None:
    """With the entrypoint overridden it is the program itself that gives up root."""
    work = deployer.owned(4321)
    script = f"cd /; {deployer.name} id -u"
    assert deployer.shell(script, *mounted(deployer, work)) == "4321\n"


def test_what_is_mounted_below_roots_home_is_found(deployer: Image) -> None:
    work, docker_config = deployer.owned(4321), deployer.owned(4321, name="docker")
    options = (*mounted(deployer, work), "-v", f"{docker_config}:{HOME_OF_ROOT}/.docker:ro")
    assert deployer.run("sh", "-c", "echo $HOME && ls ~/.docker", options=options).out == f"{HOME_OF_ROOT}\n"


def repository(deploymentizer: Image, uid: int) -> tuple[Path, tuple[str, ...]]:
    """A deployments repository of this owner, and how it is mounted."""
    work = deploymentizer.owned(uid)
    for name, text in REPOSITORY.items():
        deploymentizer.write(work, name, text, uid=uid)
    for folder in [path for path in work.rglob("*") if path.is_dir()]:
        deploymentizer.give(folder, uid)
    return work, ("-v", f"{work}:/manifests", "-w", "/manifests")


@pytest.mark.parametrize("uid", [0, 4321])
def test_what_a_step_writes_belongs_to_whom_the_folder_belongs(deploymentizer: Image, uid: int) -> None:
    work, options = repository(deploymentizer, uid)
    done = deploymentizer.run(options=(*options, "--read-only", "--tmpfs", "/tmp"))
    assert done.code == 0, done.text
    assert {path.stat().st_uid for path in (work / "generated").rglob("*")} == {uid}
    assert (work / "generated/one/settings.yaml").stat().st_mode & 0o044 == 0o044


def test_a_refused_write_names_path_owner_and_our_uid(deploymentizer: Image) -> None:
    work, options = repository(deploymentizer, 4321)
    done = deploymentizer.run(options=(*options, "--user", "12345:12345"))
    assert done.code == 1
    sentence = done.err.strip().splitlines()[0]
    assert "/manifests/generated" in sentence
    assert "uid 4321" in sentence
    assert "uid 12345" in sentence
    assert not (work / "generated").exists()


def test_a_mount_that_cannot_be_written_is_named(deploymentizer: Image) -> None:
    _, options = repository(deploymentizer, 0)
    done = deploymentizer.run(options=("-v", options[1] + ":ro", *options[2:]))
    assert done.code == 1
    assert "/manifests/generated" in done.err
    assert "read-only" in done.err.lower()
    assert "`:ro`" in done.err


def mounted_output(deploymentizer: Image, uid: int, mode: str = "rw") -> tuple[Path, Path, tuple[str, ...]]:
    """A repository, a folder beside it, and how the latter is mounted where the output goes: nobody can rename it."""
    work, options = repository(deploymentizer, uid)
    output = deploymentizer.owned(uid, name="output")
    return work, output, (*options, "-v", f"{output}:/manifests/generated:{mode}")


@pytest.mark.parametrize("user", [(), ("--user", "4321:4321", "--read-only", "--tmpfs", "/tmp")])
def test_an_output_that_is_a_mount_point_is_kept_up_to_date(deploymentizer: Image, user: tuple[str, ...]) -> None:
    """Made, made again with a change, with what is gone removed, and nothing of others touched."""
    work, output, options = mounted_output(deploymentizer, 4321)
    first = deploymentizer.run(options=(*options, *user))
    assert first.code == 0, first.text
    assert held(output) == {"one/settings.yaml": MANIFEST}
    assert (output / ".kit/one.json").exists()

    for name in ("one/old.yaml", "gone/settings.yaml", "one/notes.txt"):
        deploymentizer.write(output, name, "kind: Old\n", uid=4321)
        deploymentizer.give((output / name).parent, 4321)
    changed = MANIFEST.replace("hello", "good morning")
    deploymentizer.write(work, "resources/settings.mustache", changed, uid=4321)
    again = deploymentizer.run(options=(*options, *user))
    assert again.code == 0, again.text
    assert held(output) == {"one/settings.yaml": changed, "one/notes.txt": "kind: Old\n"}
    assert not (output / "gone").exists()


def test_an_output_mounted_read_only_is_named_and_stays(deploymentizer: Image) -> None:
    work, output, options = mounted_output(deploymentizer, 4321)
    assert deploymentizer.run(options=options).code == 0
    before = held(output, everything=True)
    deploymentizer.write(work, "resources/settings.mustache", MANIFEST.replace("hello", "no"), uid=4321)
    done = deploymentizer.run(options=(*options[:-1], options[-1].replace(":rw", ":ro")))
    assert done.code == 1
    assert "/manifests/generated" in done.err
    assert "read-only" in done.err.lower()
    assert "`:ro`" in done.err
    assert "Traceback" not in done.err
    assert held(output, everything=True) == before


def test_a_refused_output_at_a_mount_point_names_path_owner_and_our_uid(deploymentizer: Image) -> None:
    _, output, options = mounted_output(deploymentizer, 4321)
    done = deploymentizer.run(options=(*options, "--user", "12345:12345"))
    assert done.code == 1
    sentence = done.err.strip().splitlines()[0]
    assert "/manifests/generated" in sentence
    assert "uid 4321" in sentence
    assert "uid 12345" in sentence
    assert held(output, everything=True) == {}


def held(folder: Path, *, everything: bool = False) -> dict[str, str]:
    """The files of an output with what is in them; kit's own index too, where everything is wanted."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (everything or ".kit" not in path.parts)
    }


def test_a_file_that_root_could_read_only_by_its_rights_is_named(deployer: Image) -> None:
    manifests, configs = deployer.owned(0), deployer.owned(0, name="configs")
    deployer.write(configs, "one/kubeconfig", KUBECONFIG % "x", uid=999, mode=0o600)
    done = deployer.run(options=("-v", f"{manifests}:/manifests", "-v", f"{configs}:/configs"))
    assert done.code == 2
    assert "/configs/one/kubeconfig" in done.err
    assert "uid 999" in done.err
    assert "uid 0" in done.err


def test_a_secrets_file_of_another_is_named(image_deployer: Image) -> None:
    secrets = image_deployer.owned(4321)
    image_deployer.write(secrets, "password", "x", uid=999, mode=0o600)
    options = ("-v", f"{secrets}:/secrets", "-e", "KIT_GIT_PASSWORD_FILE=/secrets/password")
    done = image_deployer.run(options=options)
    assert done.code == 2
    assert "/secrets/password" in done.err
    assert "uid 999" in done.err
    assert "uid 4321" in done.err
