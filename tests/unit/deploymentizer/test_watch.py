# SPDX-License-Identifier: MIT
"""`watch`: a render at every save, with what it changed; errors end nothing but the render they are in."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kit_core.ci import detect
from kit_core.console import Console
from kit_core.entry import Context
from kit_core.secrets import Masker
from kit_deploymentizer.desk.watch import Watch, snapshot, wait_for_change
from kit_deploymentizer.settings import DeploymentizerSettings
from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Workshop

PATIENCE = 20.0
TEMPLATE = CONFIG_MAP + "data: {word: '{{{word}}}'}\n"


def wait_until(true: Callable[[], bool], told: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, told()
        time.sleep(0.01)


class Watching:
    """A watch in a thread, and what it said so far."""

    def __init__(self, workshop: Workshop, **settings: object) -> None:
        self._out, self._err, self._stop = io.StringIO(), io.StringIO(), threading.Event()
        masker = Masker()
        console = Console(
            stderr=self._err, stdout=self._out, env={}, provider=detect({}), masker=masker, log_format="text",
            interactive=False, debug=False, cwd=workshop.folder,
        )  # fmt: skip
        context = Context(
            env={}, console=console, stdout=self._out, stop=self._stop, masker=masker, cwd=workshop.folder, debug=False,
            given={},
        )  # fmt: skip
        made = DeploymentizerSettings(conf=Path("kit.yaml"), **settings)  # type: ignore[arg-type]
        watch = Watch(made, context, look=0.01, settle=0.02)
        self._thread = threading.Thread(target=watch.run)
        self._thread.start()

    @property
    def log(self) -> str:
        return self._err.getvalue()

    @property
    def out(self) -> str:
        return self._out.getvalue()

    def until(self, text: str, *, times: int = 1) -> None:
        """Wait until the log has the text so often."""
        wait_until(lambda: self.log.count(text) >= times, lambda: f"{text!r} is not in\n{self.log}")

    def end(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.fixture
def watching(workshop: Workshop) -> Iterator[Callable[..., Watching]]:
    """Starts watches, and ends them."""
    begun: list[Watching] = []

    def start(**settings: object) -> Watching:
        begun.append(Watching(workshop, **settings))
        return begun[-1]

    yield start
    for one in begun:
        one.end()


def test_a_save_is_rendered_and_what_it_changed_is_shown(workshop: Workshop, watching: Callable[..., Watching]) -> None:
    workshop.app(TEMPLATE)
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nword: before\n"})
    watch = watching()
    watch.until("Watching 2 clusters with 2 files; Ctrl-C ends it.")
    assert "word: 'before'" in workshop.output()["east/app.yaml"]
    assert watch.out == ""
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nword: after\n"})
    watch.until("Rendered: 2 files written, 0 removed.")
    assert "word: 'after'" in workshop.output()["west/app.yaml"]
    assert "app.yaml changes in east, west\n" in watch.out
    assert "-data: {word: 'before'}\n+data: {word: 'after'}\n" in watch.out
    workshop.cluster("third")
    watch.until("Rendered: 1 file written, 0 removed.")
    assert "New clusters: third." in watch.out
    (workshop.folder / "clusters/third/cluster.yaml").unlink()
    watch.until("Rendered: 0 files written, 1 removed.")
    assert "third/app.yaml" not in workshop.output()


def test_errors_are_shown_and_the_watch_goes_on(workshop: Workshop, watching: Callable[..., Watching]) -> None:
    workshop.app(TEMPLATE)
    watch = watching()
    watch.until("Watching 2 clusters")
    before = workshop.output()
    workshop.template("{{#open}}")
    watch.until("resources/app/app.mustache:1:1: The template cannot be parsed")
    watch.until("1 error; the output stays as it was. Waiting for the next save.")
    workshop.write({"base-var.yaml": "kind: [\n"})
    watch.until("The output stays as it was. Waiting for the next save.")
    (workshop.folder / "kit.yaml").unlink()
    watch.until("kit.yaml is missing")
    assert workshop.output() == before
    workshop.write({"kit.yaml": KIT, "base-var.yaml": "kind: ResourceConfig\nword: mended\n"})
    workshop.template(TEMPLATE)
    watch.until("Rendered: 2 files written")
    assert "word: 'mended'" in workshop.output()["east/app.yaml"]
    assert "+data: {word: 'mended'}" in watch.out


def test_a_repository_that_is_wrong_from_the_beginning_may_be_mended(
    workshop: Workshop, watching: Callable[..., Watching]
) -> None:
    workshop.app(TEMPLATE)
    workshop.write({"kit.yaml": "base: 1\n"})
    watch = watching()
    watch.until("kit.yaml does not say where base is")
    workshop.write({"kit.yaml": KIT})
    watch.until("Watching 2 clusters with 2 files")


def test_nothing_is_written_without_save(workshop: Workshop, watching: Callable[..., Watching]) -> None:
    workshop.app(TEMPLATE)
    watch = watching(save=False)
    watch.until("Watching 2 clusters")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nword: after\n"})
    watch.until("Rendered: 0 files written")
    assert "+data: {word: 'after'}" in watch.out
    assert workshop.output() == {}


def test_no_value_of_a_secret_is_shown(workshop: Workshop, watching: Callable[..., Watching]) -> None:
    workshop.write({
        "kit.yaml": KIT + "sources: [{kind: files, path: 'env/{service}.env'}]\n", "env/app.env": "KEY=canary-one\n",
    })  # fmt: skip
    workshop.app(CONFIG_MAP + "data: {key: '{{{app.env.0.value}}}'}\n")
    watch = watching()
    watch.until("Watching 2 clusters")
    workshop.write({"env/app.env": "KEY=canary-two\n"})
    watch.until("Rendered: 2 files written")
    assert "canary-two" in workshop.output()["east/app.yaml"]
    assert "*** (changed)" in watch.out
    assert "canary" not in watch.out + watch.log


@pytest.mark.parametrize("how", ["change", "same size", "new", "removed", "replaced", "in a new folder"])
def test_every_way_of_saving_is_seen(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "watched"
    folder.mkdir()
    path = folder / "a"
    path.write_text("one")
    seen = snapshot([folder, tmp_path / "not-there"])
    assert list(seen) == [str(path)]
    status = path.stat()
    if how == "change":
        path.write_text("two more")
    elif how == "same size":
        path.write_text("two")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    elif how == "new":
        (folder / "b").write_text("")
    elif how == "removed":
        path.unlink()
    elif how == "replaced":
        other = folder / "a~"
        other.write_text("one")
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
        other.replace(path)
    else:
        (folder / "c").mkdir()
        (folder / "c/d").write_text("")
    assert snapshot([folder]) != seen
    wait_for_change([folder], seen, threading.Event(), look=60, settle=0.01)


def test_saves_in_a_row_are_awaited(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("")

    class Saving(threading.Event):
        """Whoever rests to see whether all is settled finds another save, four times."""

        rests = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.rests += 1
            if self.rests < 5:
                path.write_text("x" * self.rests)
            return False

    seen, saving = snapshot([path]), Saving()
    path.write_text("begun")
    wait_for_change([path], seen, saving, look=60, settle=0.01)
    assert saving.rests == 5
    assert path.read_text() == "xxxx"


def test_ctrl_c_ends_it_as_signals_end_any_step(workshop: Workshop) -> None:
    workshop.app(TEMPLATE)
    process = subprocess.Popen(
        [sys.executable, "-m", "kit_deploymentizer", "watch"], cwd=workshop.folder, stderr=subprocess.PIPE, text=True,
        env={"PYTHONPATH": ":".join(sys.path), "CONF": "kit.yaml"},
    )  # fmt: skip
    assert process.stderr is not None
    try:
        said = ""
        while "Watching 2 clusters" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert "result=interrupted signal=SIGINT" in rest
    assert not (workshop.folder / "generated/.kit/staging").exists()
