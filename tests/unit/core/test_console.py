# SPDX-License-Identifier: MIT
"""What the console writes: lines that stay whole, secrets masked in every channel, what each CI is told."""

import errno
import io
import json
import re
import threading
import time
from pathlib import Path

import pytest

from kit_core.ci import detect
from kit_core.console import Console
from kit_core.errors import WorkError
from kit_core.secrets import Masker
from tests.unit.core.streams import console, wait_until


class _Slow(io.StringIO):
    """A stream whose reader takes its time: whoever writes lets the others go on."""

    def write(self, text: str) -> int:
        time.sleep(0.001)
        return super().write(text)


def test_of_many_threads_every_line_arrives_once_and_in_its_order() -> None:
    err = _Slow()
    shown = Console(stderr=err, stdout=io.StringIO(), env={}, provider=detect({}), masker=Masker())

    def talk(name: int) -> None:
        for number in range(50):
            shown.info(f"{name} says {number}")

    threads = [threading.Thread(target=talk, args=(name,)) for name in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown.result("done")  # with it everything is written
    lines = [line.split()[-3:] for line in err.getvalue().splitlines()[:-1]]
    assert len(lines) == 500
    for name in range(10):
        assert [int(said) for who, _, said in lines if who == str(name)] == list(range(50))


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_channel_prints_a_secret(log_format: str, tmp_path: Path) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "o"), "GITHUB_STEP_SUMMARY": str(tmp_path / "s")}
    shown, out, err = console(env, log_format=log_format, debug=True)
    secret = "hunter2-canary"
    shown.info(secret, cluster=secret, fact=secret)
    shown.detail(secret)
    shown.success(secret)
    shown.warning(secret, file=secret)
    shown.error(WorkError(secret, where=secret, why=secret, hint=secret))
    shown.foreign(f"a {secret}\nb")
    shown.out(secret)
    shown.summary(lambda: secret)
    shown.result("failed", why=secret)
    with shown.group(secret):
        pass
    written = out.getvalue() + err.getvalue() + (tmp_path / "o").read_text() + (tmp_path / "s").read_text()
    assert secret not in written
    assert written.count("***") >= 10


@pytest.mark.parametrize("env", [{}, {"GITHUB_ACTIONS": "true"}, {"TF_BUILD": "True"}, {"GITLAB_CI": "true"}])
@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(
    "secret", ["p%ss;w]rd:1,x", "tab\tand::two", "#cana##[ry", "one\nsecond-line", 'quo"te\\back', "ü€部署"]
)
def test_what_escaping_changes_is_masked_all_the_same(env: dict[str, str], log_format: str, secret: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    masker = Masker()
    masker.add(secret)
    shown = Console(stderr=err, stdout=out, env=env, provider=detect(env), masker=masker, log_format=log_format)
    shown.error(WorkError(f"it is {secret}", where=secret, file=secret))
    shown.warning(secret, cluster=secret, facts={"list": [secret, Path(f"/x/{secret}")], secret: {"deep": secret}})
    shown.foreign(secret)
    shown.result("done", why=secret)
    with shown.group(secret):
        pass
    written = err.getvalue()
    parts = [secret, json.dumps(secret)[1:-1], secret.replace("%", "%25"), secret.replace("%", "%AZP25"),
             secret.replace("\t", "    "), secret.replace("::", ": :")]  # fmt: skip
    assert not [part for part in parts if part in written]
    assert "second-line" not in written


def test_a_secret_that_an_escape_sequence_hides_is_masked() -> None:
    shown, _, err = console()
    shown.foreign("token: hunter2\x1b[0m-canary")
    assert err.getvalue() == "  | token: ***\n"


def test_a_secret_that_is_a_common_word_leaves_the_json_log_readable() -> None:
    masker = Masker()
    masker.add("message")
    masker.add("level")
    err = io.StringIO()
    shown = Console(
        stderr=err, stdout=io.StringIO(), env={}, provider=detect({}), masker=masker, log_format="json"
    )  # fmt: skip
    shown.info("the message", exit_code=3, seconds=1.5, nothing=None, names=("a",))
    entry = json.loads(err.getvalue())
    assert {key: entry[key] for key in entry if key != "time"} == {
        "level": "info", "message": "the ***", "exit_code": 3, "seconds": 1.5, "nothing": None, "names": ["a"],
    }  # fmt: skip


@pytest.mark.parametrize("env", [{"TF_BUILD": "True"}, {"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}])
def test_a_json_log_holds_nothing_but_objects(env: dict[str, str]) -> None:
    shown, _, err = console(env, log_format="json", interactive=True, heartbeat_seconds=0.01)
    with shown.group("Render"), shown.waiting(lambda: "two\nlines"):
        wait_until(lambda: "two" in err.getvalue())
    shown.warning("odd", file="a.yaml")
    shown.result("unchanged", note="a\nb")
    assert all(isinstance(json.loads(line), dict) for line in err.getvalue().splitlines())


@pytest.mark.parametrize(
    ("workspace", "cwd", "file", "expected"),
    [
        ("/github/workspace", "/github/workspace", "clusters/eu.yaml", "clusters/eu.yaml"),
        ("/github/workspace", "/github/workspace/deployments", "eu.yaml", "deployments/eu.yaml"),
        ("/github/workspace", "/", "/github/workspace/a/../eu.yaml", "eu.yaml"),
        ("/home/runner/work/r/r", "/work", "/work/clusters/eu.yaml", "clusters/eu.yaml"),
        ("/home/runner/work/r/r", "/", "/manifests/eu.yaml", "/manifests/eu.yaml"),
        ("", "/work", "../eu.yaml", "../eu.yaml"),
    ],
)
def test_a_mark_names_the_file_as_the_repository_does(workspace: str, cwd: str, file: str, expected: str) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": workspace}
    shown, _, err = console(env, cwd=Path(cwd))
    shown.warning("odd", file=file, line=2)
    assert err.getvalue() == f"::warning file={expected},line=2::odd\n"


def test_the_json_log_names_the_file_as_the_step_does() -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/repo"}
    shown, _, err = console(env, cwd=Path("/repo"), log_format="json")
    shown.error(WorkError("bad", file="/repo/a.yaml", line=3, column=4), cluster="eu")
    entry = json.loads(err.getvalue())
    assert (entry["file"], entry["line"], entry["column"], entry["exit_code"]) == ("/repo/a.yaml", 3, 4, 1)
    assert entry["cluster"] == "eu"


def test_colour_is_for_those_who_want_it() -> None:
    for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        shown, _, err = console(env, interactive=True)
        shown.error("bad")
        assert ("\x1b[31m" in err.getvalue()) is coloured


def test_azure_gets_the_result_as_a_variable() -> None:
    shown, _, err = console({"TF_BUILD": "True"})
    shown.result("updated", note="a\n##vso[task.complete]")
    assert err.getvalue().splitlines()[1:] == [
        "##vso[task.setvariable variable=result;isOutput=true]updated",
        "##vso[task.setvariable variable=note;isOutput=true]a # #vso[task.complete]",
    ]


def test_machine_output_that_cannot_be_written_is_an_error_but_a_reader_that_has_gone_is_none() -> None:
    class Broken(io.StringIO):
        error: Exception = BrokenPipeError()

        def write(self, text: str) -> int:
            raise self.error

    broken = Broken()
    shown = Console(stderr=io.StringIO(), stdout=broken, env={}, provider=detect({}), masker=Masker())
    shown.out("nobody reads this")
    broken.error = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(WorkError, match=r"standard output.*No space left"):
        shown.out("{}")
    broken.error = ValueError("I/O operation on closed file")
    shown.out("{}")


def test_the_log_is_on_stderr_and_stdout_is_for_machines() -> None:
    shown, out, err = console()
    shown.info("hello")
    assert (out.getvalue(), err.getvalue()) == ("", "hello\n")
    shown.out("{}")
    assert out.getvalue() == "{}\n"


def test_details_are_for_debugging() -> None:
    shown, _, err = console()
    shown.detail("why")
    assert err.getvalue() == ""
    shown, _, err = console(debug=True)
    shown.detail("why")
    assert err.getvalue() == "debug: why\n"


def test_github_gets_the_result_as_a_step_output(tmp_path: Path) -> None:
    file = tmp_path / "output"
    shown, _, _ = console({"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(file)})
    shown.result("updated", commit="abc", note="a\nname=injected")
    shown.result("updated", path="\udcff", multi="a<<EOF\r\nname=injected")
    assert file.read_text().splitlines() == [
        "result=updated", "commit=abc", "note=a name=injected",
        "result=updated", "path=\\udcff", "multi=a<<EOF  name=injected",
    ]  # fmt: skip


def test_a_ci_file_that_is_not_mounted_is_no_failure() -> None:
    shown, _, err = console({"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "/nowhere/at/all"})
    shown.result("updated")
    assert err.getvalue() == "result=updated\n"


def test_a_reader_that_has_gone_does_not_end_the_run() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    env: dict[str, str] = {}
    shown = Console(stderr=Closed(), stdout=io.StringIO(), env=env, provider=detect(env), masker=Masker())
    shown.info("nobody listens")


def test_lines_of_many_threads_stay_whole() -> None:
    shown, _, err = console(interactive=True)

    def talk(number: int) -> None:
        for index in range(50):
            shown.info(f"{number} says {index}\nand more", cluster=f"c{number}")

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
    with shown.waiting(lambda: "all of them"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    lines = [line for line in err.getvalue().splitlines() if "all of them" not in line and "\x1b" not in line]
    assert len(lines) == 8 * 50 * 2
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        assert re.fullmatch(r"\[c(\d)\] \1 says \d+", first)
        assert second == f"{first.split()[0]}   and more"
