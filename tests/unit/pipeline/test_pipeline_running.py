# SPDX-License-Identifier: MIT
"""Walking a plan: what ends a run, what still ends beside what failed, and what is done where something failed."""

from __future__ import annotations

import io
import threading
from pathlib import Path

from kit_pipeline.files.reading import parse_text
from kit_pipeline.files.steps import read_steps
from kit_pipeline.planning.expand import Wishes, expand
from kit_pipeline.planning.plan import Task
from kit_pipeline.running.environment import link_variables
from kit_pipeline.running.printing import Printer
from kit_pipeline.running.result import RunResult, TaskResult
from kit_pipeline.running.run import run


def walked(text: str, failing: set[str], stop: threading.Event | None = None) -> RunResult:
    """A run whose tasks of those names fail."""

    def perform(task: Task) -> TaskResult:
        code = 1 if task.name in failing else 0
        return TaskResult(number=task.number, name=task.name, state="failed" if code else "passed", exit_code=code)

    plan = expand(read_steps(parse_text(text, shown="t.yml"), lambda _: None), Wishes(ref=None))
    return run(plan, perform, stop=stop or threading.Event(), tell=lambda _: None)


def states(result: RunResult) -> dict[str, str]:
    return {task.name: task.state for task in result.tasks}


TEXT = """
- {name: first, service: a, command: x}
- name: group
  type: parallel
  service: a
  on_fail: [{name: group failed, command: z}]
  steps:
    - {name: bad, command: x, on_fail: [{name: bad failed, command: y}]}
    - {name: beside, command: x}
    - {type: serial, name: chain, steps: [{name: c1, command: x}, {name: c2, command: x}]}
- {name: after, service: a, command: x}
"""


def test_what_stands_side_by_side_ends_and_then_the_run_stops() -> None:
    result = walked(TEXT, {"bad"})
    assert states(result) == {
        "first": "passed", "bad": "failed", "bad failed": "passed", "beside": "passed", "c1": "passed", "c2": "passed",
        "group failed": "passed", "after": "skipped",
    }  # fmt: skip
    names = [task.name for task in result.tasks]
    assert names.index("bad") < names.index("bad failed") < names.index("group failed")  # the innermost first
    assert result.exit_code == 1


def test_a_chain_ends_at_its_failure() -> None:
    assert states(walked(TEXT, {"c1"})) | {"after": "skipped"} == {
        "first": "passed", "bad": "passed", "beside": "passed", "c1": "failed", "c2": "skipped",
        "group failed": "passed", "after": "skipped",
    }  # fmt: skip


def test_what_is_done_after_a_failure_makes_nothing_green_and_nothing_red() -> None:
    assert walked(TEXT, {"bad", "bad failed"}).exit_code == 1
    assert walked(TEXT, set()).exit_code == 0


def test_after_a_stop_nothing_is_begun() -> None:
    stop = threading.Event()
    stop.set()
    assert set(states(walked(TEXT, set(), stop)).values()) == {"skipped"}


def test_lines_are_printed_whole_with_their_step_and_kept_in_a_file(tmp_path: Path) -> None:
    out = io.StringIO()
    printer = Printer(out, mask=lambda text: text.replace("secret", "***"), colour=False, folder=tmp_path)
    one, two = printer.voice("one", file="1-one"), printer.voice("two")
    one.feed(False, "h\u00e9".encode()[:2])
    two.feed(True, b"::error::boo\r\nsec")
    one.feed(False, "h\u00e9".encode()[2:] + b"llo\nlast")
    two.feed(True, b"ret\n")
    one.close()
    two.close()
    assert out.getvalue() == "two | : :error::boo\none | h\u00e9llo\ntwo | ***\none | last\n"
    assert (tmp_path / "1-one.log").read_text("utf-8") == "h\u00e9llo\nlast\n"


def test_links_tell_as_docker_did() -> None:
    config = {"ExposedPorts": {"6379/tcp": {}, "80/tcp": {}}, "Env": ["PATH=/bin", "MODE=fast"]}
    assert link_variables("my.redis", "app", "10.0.0.2", config) == {
        "MY_REDIS_NAME": "/app/my.redis",
        "MY_REDIS_PORT": "tcp://10.0.0.2:80",
        "MY_REDIS_PORT_80_TCP": "tcp://10.0.0.2:80",
        "MY_REDIS_PORT_80_TCP_ADDR": "10.0.0.2",
        "MY_REDIS_PORT_80_TCP_PORT": "80",
        "MY_REDIS_PORT_80_TCP_PROTO": "tcp",
        "MY_REDIS_PORT_6379_TCP": "tcp://10.0.0.2:6379",
        "MY_REDIS_PORT_6379_TCP_ADDR": "10.0.0.2",
        "MY_REDIS_PORT_6379_TCP_PORT": "6379",
        "MY_REDIS_PORT_6379_TCP_PROTO": "tcp",
        "MY_REDIS_ENV_MODE": "fast",
    }
