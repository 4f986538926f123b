# SPDX-License-Identifier: MIT
"""What lies in the output is trusted where the notes say when it was written, and looked through elsewhere."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kit_deploymentizer.output.reuse import EarlierCluster
from tests.unit.deploymentizer.edits import ALWAYS, everything, later
from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop


def test_a_restored_output_is_looked_through_and_used(fleet: Workshop, rendered: list[str]) -> None:
    """Of another machine, or from a CI's cache: every file's times are new."""
    fleet.write({"resources/plain/plain.yaml": CONFIG_MAP.replace("{{{name}}}", "plain")})
    fleet.run(KEY="one")
    copy = fleet.folder / "copy"
    shutil.copytree(fleet.folder / "generated", copy)
    shutil.rmtree(fleet.folder / "generated")
    copy.rename(fleet.folder / "generated")
    rendered.clear()
    fleet.run(KEY="one")
    assert rendered == ALWAYS


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clusters whose index is read through."""
    seen: list[str] = []
    real = EarlierCluster.__init__

    def told(self, cluster, *rest, **named):  # type: ignore[no-untyped-def]
        seen.append(cluster.name)
        real(self, cluster, *rest, **named)

    monkeypatch.setattr(EarlierCluster, "__init__", told)
    return seen


def test_where_little_changed_no_index_is_read_through(
    calm: Workshop, rendered: list[str], looked_into: list[str]
) -> None:
    later(calm)
    assert calm.run(KEY="one").last == "result=unchanged clusters=2 written=0 unchanged=10 removed=0"
    assert (rendered, looked_into) == ([], [])
    calm.write({"images/shop/web/master.yaml": "image: shop/web:2\n", ".git/HEAD": "1" * 40})
    later(calm)
    result = calm.run(KEY="one")
    assert result.last == "result=rendered clusters=2 written=2 unchanged=8 removed=0"
    assert (sorted(rendered), looked_into) == (["east/web", "west/web"], [])
    incremental = everything(calm.folder / "generated")
    shutil.rmtree(calm.folder / "generated")
    calm.run(KEY="one")
    assert everything(calm.folder / "generated") == incremental


def test_within_one_tick_of_the_clock_nothing_is_trusted(calm: Workshop, looked_into: list[str]) -> None:
    stamps = calm.folder / "generated/.kit/stamps"
    os.utime(stamps, ns=(0, (calm.folder / "generated/west/web.yaml").stat().st_ctime_ns))
    calm.run(KEY="one")
    assert "west" in looked_into


def _change(folder: Path) -> None:
    file = folder / "west/job.yaml"
    status = file.stat()
    file.write_bytes(file.read_bytes().replace(b"job", b"jab"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    "by_hand",
    [
        _change,
        lambda folder: (folder / "west/job.yaml").unlink(),
        lambda folder: (folder / "west/stray.yaml").write_text("a: b\n"),
        lambda folder: (folder / "west/link.yaml").symlink_to("job.yaml"),
        lambda folder: (folder / "west/below").mkdir() or (folder / "west/below/stray.yaml").write_text("a: b\n"),
        lambda folder: shutil.rmtree(folder / "west"),
        lambda folder: (folder / ".kit/west.json").unlink(),
        lambda folder: (folder / ".kit/west.json").write_text("{}"),
        lambda folder: (folder / ".kit/stamps").unlink(),
        lambda folder: (folder / ".kit/stamps").write_text('{"version":3,"clusters":{"west":[1,"",2]},"digests":{}}'),
        lambda folder: (folder / ".kit/stamps").write_text("[[[["),
    ],
)  # fmt: skip
@pytest.mark.parametrize("image", [1, 2])
def test_what_was_done_to_the_output_by_hand_is_undone(
    calm: Workshop, by_hand: Callable[[Path], object], image: int
) -> None:
    calm.write({"images/shop/web/master.yaml": f"image: shop/web:{image}\n"})
    folder = calm.folder / "generated"
    folder.rename(calm.folder / "kept")
    calm.run(KEY="one")
    expected = everything(folder)
    shutil.rmtree(folder)
    (calm.folder / "kept").rename(folder)
    later(calm)
    by_hand(folder)
    assert calm.run(KEY="one").code == 0
    assert everything(folder) == expected
    assert not (folder / "west/link.yaml").is_symlink()


def test_a_run_about_one_resource_leaves_the_others_trusted(calm: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    later(calm)
    calm.write({"images/shop/web/master.yaml": "image: shop/web:2\n"})
    calm.run(KEY="one", RESOURCE="web")
    later(calm)
    monkeypatch.setattr(EarlierCluster, "_intact", lambda *_: pytest.fail("a file is read"))
    assert calm.run(KEY="one").last == "result=unchanged clusters=2 written=0 unchanged=10 removed=0"
