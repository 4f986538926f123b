# SPDX-License-Identifier: MIT
"""The source `exec`: a program is asked, kept to its limits, and ended with what it started."""

import json
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kit_core.errors import Interrupted, TimeLimitError, WorkError
from kit_deploymentizer.sources import Target, World
from kit_deploymentizer.sources.exec_program import ExecProgram
from kit_deploymentizer.sources.together import Named, Together
from tests.unit.deploymentizer.workshop import KIT, Workshop

TEMPLATE = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData:\n"
    "{{#app.env}}\n  {{{name}}}: '{{{value}}}'\n{{/app.env}}\n"
)
PATH = "/usr/bin:/bin"


@pytest.fixture
def workshop(workshop: Workshop) -> Workshop:
    """One cluster whose only container has the values of a program `./ask`."""
    (workshop.folder / "clusters/west/cluster.yaml").unlink()
    workshop.cluster("east", metadata="type: test, branch: master, region: eu")
    workshop.app(TEMPLATE, "  env: [{name: OWN, value: mine}]\n  image_tag: org/app\n  annotations: {team: shop}\n")
    workshop.write({"images/org/app/master.yaml": "image: reg/app:1\n"})
    return workshop


def program(workshop: Workshop, script: str, options: str = "") -> None:
    workshop.write({
        "kit.yaml": KIT + f"sources: [{{kind: exec, name: vault, command: [./ask, '{{cluster}}']{options}}}]\n",
        "ask": f"#!/bin/sh\n{script}\n",
    })  # fmt: skip
    (workshop.folder / "ask").chmod(0o755)


def test_a_program_reads_the_question_and_prints_the_answer(workshop: Workshop) -> None:
    program(workshop, 'cat > question.json; pwd > folder; echo \'{"env": {"A": "canary-one", "ARG": "\'"$1"\'"}}\'')
    result = workshop.run(PATH=PATH)
    assert result.code == 0, result.log
    assert result.files["east/app.yaml"].endswith("  OWN: 'mine'\n  A: 'canary-one'\n  ARG: 'east'\n")
    assert json.loads((workshop.folder / "question.json").read_text()) == {
        "version": 1,
        "cluster": "east",
        "type": "test",
        "resource": "app",
        "service": "app",
        "metadata": {"name": "east", "type": "test", "branch": "master", "region": "eu"},
        "annotations": {"team": "shop"},
        "image_tag": "org/app",
        "branch": None,
    }
    assert (workshop.folder / "folder").read_text().strip() == str(workshop.folder)
    assert workshop.index("east")["secrets"] == {"app.yaml": ["/stringData/A", "/stringData/ARG"]}
    assert "canary" not in result.log


def test_it_gets_the_environment_without_kits_own_secrets(workshop: Workshop) -> None:
    program(
        workshop, 'echo "{\\"env\\": {\\"A\\": \\"$VAULT_TOKEN:$CODESHIP_AES_KEY:$KIT_ENVAPI_ACCESS_TOKEN_FILE\\"}}"'
    )
    (workshop.folder / "token").write_text("t0ken")
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    result = workshop.run(
        PATH=PATH,
        VAULT_TOKEN="v1",
        CODESHIP_AES_KEY=key,
        KIT_ENVAPI_ACCESS_TOKEN_FILE=str(workshop.folder / "token"),
    )
    assert result.code == 0, result.log
    assert "A: 'v1::'" in result.files["east/app.yaml"]


def test_a_program_on_path_is_found_and_its_answer_may_lie_deeper(workshop: Workshop) -> None:
    answer = json.dumps({"data": {"data": {"A": "one"}}})
    workshop.write({"kit.yaml": KIT + f"sources: [{{kind: exec, command: [echo, '{answer}'], values: /data/data}}]\n"})
    result = workshop.run(PATH=PATH)
    assert result.code == 0, result.log
    assert "A: 'one'" in result.files["east/app.yaml"]


@pytest.mark.parametrize(
    ("script", "code", "why"),
    [
        ("echo no route to vault >&2; exit 3", 1, "exit code 3; it said: no route to vault"),
        ("kill -9 $$", 1, "signal 9"),
        ("echo", 1, "what ask printed is empty"),
        ("echo canary", 1, "what ask printed is no JSON (line 1, column 1)"),
        ("echo '[\"canary\"]'", 1, "what ask printed is no map"),
        ("echo '{\"env\": {\"A\": [\"canary\"]}}'", 1, "what ask printed says A is a map or a list"),
        ("yes canary-canary-canary", 1, "ask printed more than 10 MB"),
        ("sleep 60", 70, "ask did not end within 0.3 s (source vault, container app)"),
    ],
)  # fmt: skip
def test_a_program_that_fails_is_told_with_source_cluster_and_container(
    workshop: Workshop, script: str, code: int, why: str
) -> None:
    program(workshop, script, ", timeout: 0.3" if "sleep" in script else "")
    result = workshop.run(PATH=PATH)
    assert result.code == code, result.log
    assert why in result.log
    assert "(source vault, container app)" in result.log
    assert "[east]" in result.log
    assert "canary" not in result.log
    assert result.files == {}


def test_a_program_that_is_not_there(workshop: Workshop) -> None:
    program(workshop, "")
    (workshop.folder / "ask").unlink()
    result = workshop.run(PATH=PATH)
    assert result.code == 2
    assert "ask cannot be started (source vault, container app): No such file or directory" in result.log


@pytest.mark.parametrize(("argument", "code"), [("{print}", 0), ("{}", 0), ("{clusters}", 2)])
def test_braces_of_a_programs_own_language_stay(workshop: Workshop, argument: str, code: int) -> None:
    program(workshop, """echo '{"env": {"A": "'"$2"'"}}'""")
    kit = (workshop.folder / "kit.yaml").read_text().replace("'{cluster}'", f"'{{cluster}}', '{argument}'")
    workshop.write({"kit.yaml": kit})
    result = workshop.run(PATH=PATH)
    assert result.code == code, result.log
    assert code or f"A: '{argument}'" in result.files["east/app.yaml"]
    assert not code or "{cluster} is probably meant" in result.log


def test_a_failing_program_is_a_warning_where_failure_is_allowed(workshop: Workshop) -> None:
    workshop.cluster("east", metadata="type: test, allowFailure: true")
    program(workshop, "exit 3")
    result = workshop.run(PATH=PATH)
    assert result.code == 0, result.log
    assert workshop.index("east")["left_out"] == ["app"]


# What the whole step does not show


def source(tmp_path: Path, script: str, seconds: float = 20) -> ExecProgram:
    path = tmp_path / "ask"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    world = World({}, tmp_path, program_env={"PATH": PATH})
    return ExecProgram.from_options({"command": ["./ask"], "timeout": seconds}, world)


def container(name: str = "app") -> Mapping[str, Any]:
    return {"name": name, "resourceName": name}


EAST = Target("east", {}, "test")


def test_a_question_is_asked_once_from_however_many_threads(tmp_path: Path) -> None:
    asked = source(tmp_path, "echo x >> count; sleep 0.2; echo '{}'")
    threads = [threading.Thread(target=asked.fetch, args=(container(), EAST)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked.fetch(container(), EAST)
    assert (tmp_path / "count").read_text() == "x\n"


def test_a_failure_is_remembered_as_an_answer_is(tmp_path: Path) -> None:
    asked = source(tmp_path, "echo x >> count; exit 1")
    failures = []
    for _ in range(2):
        with pytest.raises(WorkError) as caught:
            asked.fetch(container(), EAST)
        failures.append(caught.value)
    assert (tmp_path / "count").read_text() == "x\n"
    assert failures[0] is not failures[1]  # whoever asks adds the place to it


def test_a_large_question_and_a_program_that_reads_nothing(tmp_path: Path) -> None:
    target = Target("east", {"note": "x" * 1_000_000}, "test")
    assert source(tmp_path, "echo '{}'").fetch(container(), target).values == {}


def test_much_on_standard_error_holds_nothing_up(tmp_path: Path) -> None:
    asked = source(tmp_path, "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo; echo the end >&2; exit 1")
    with pytest.raises(WorkError) as caught:
        asked.fetch(container(), EAST)
    assert str(caught.value).count("x") < 600
    assert "the end" in str(caught.value)


def alive(number: int) -> bool:
    """Whether a process of this number runs (a zombie does not)."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except FileNotFoundError:
        return False


def ended(number: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(number) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(number)


@pytest.mark.parametrize("script", ["sleep 100 & echo $! > child; wait", "sleep 100 & echo $! > child; echo '{}'"])
def test_what_a_program_started_ends_with_it(tmp_path: Path, script: str) -> None:
    asked = source(tmp_path, script, seconds=0.5)
    if "wait" in script:
        with pytest.raises(TimeLimitError):
            asked.fetch(container(), EAST)
    else:
        assert asked.fetch(container(), EAST).values == {}
    assert ended(int((tmp_path / "child").read_text()))


def test_after_three_programs_in_a_row_that_were_too_slow_none_is_run(tmp_path: Path) -> None:
    asked = source(tmp_path, "echo x >> count; sleep 100", seconds=0.1)
    for number in range(5):
        with pytest.raises(TimeLimitError):
            asked.fetch(container(f"c{number}"), EAST)
    assert (tmp_path / "count").read_text() == "x\n" * 3


def test_programs_run_side_by_side(tmp_path: Path) -> None:
    # Each waits for the other: one after the other, both would be too slow.
    asked = source(tmp_path, 'n=$(ls started* 2>/dev/null | wc -l); : > started$$; '
                   "while [ $(ls started* | wc -l) -lt 2 ]; do sleep 0.01; done; echo '{}'")  # fmt: skip
    together = Together([Named("vault", asked, slow=True)])
    together.ask_all([(container("one"), EAST), (container("two"), EAST)])
    assert together.fetch(container("one"), EAST).values == {}
    assert together.fetch(container("two"), EAST).values == {}


def test_whose_answers_are_awaited_is_told(tmp_path: Path) -> None:
    asked = source(tmp_path, "while [ ! -e go ]; do sleep 0.01; done; echo '{}'")
    together = Together([Named("vault", asked, slow=True), Named("quick", asked)])
    assert together.is_slow
    assert not Together([Named("quick", asked), Named("silent", None, slow=True)]).is_slow
    questions = [(container("one"), EAST), (container("two"), EAST)]
    thread = threading.Thread(target=together.ask_all, args=(questions,))
    thread.start()
    deadline = time.monotonic() + 10
    while "vault" not in together.awaited() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert together.awaited() == "waiting for answers of vault (2 of 2)"
    (tmp_path / "go").touch()
    thread.join()
    assert together.awaited() == "asking the sources"


def test_an_interruption_ends_the_programs(tmp_path: Path) -> None:
    asked = source(tmp_path, "echo $$ > child; exec sleep 100")
    together = Together([Named("vault", asked, slow=True)])

    def questions() -> Any:
        yield container(), EAST
        deadline = time.monotonic() + 10
        while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        raise Interrupted(signal.SIGTERM)

    with pytest.raises(Interrupted):
        together.ask_all(questions())
    assert ended(int((tmp_path / "child").read_text()))
