# SPDX-License-Identifier: MIT
"""What a pipeline asks of Docker, in a form in which pipelines of different CI services can be compared.

The scripts are run by a real shell, so that its quoting has its say. `docker`, `git` and kit's own commands are
programs that write down what they were asked, and do nothing: what the files say is looked at here; that it works, in
tests/e2e.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

Event = Literal["branch", "master"]
EVENTS: tuple[Event, ...] = ("branch", "master")
BRANCHES: dict[Event, str] = {"branch": "feature/odd name's", "master": "master"}
COMMIT = "70c30b1b3a1fce1e6826700c31830f47521292ad"
BUILT = "(what was built)"

SECRETS = {
    name: f"secret-of-{name}" for name in ("PAYMENT_KEY", "CODESHIP_AES_KEY", "KIT_GIT_USERNAME", "KIT_GIT_PASSWORD")
}
LOGIN = {name: f"secret-of-{name}" for name in ("REGISTRY_USERNAME", "REGISTRY_PASSWORD")}
WORKPLACES = {"kit-deploymentizer": "/manifests", "kit-image-deployer": "/source"}
"""Where a step's own image finds the clone, when CodeShip mounts it."""

_RECORDER = """#!{python} -SE
import json, os, sys
with open(os.environ["RECORD"], "a") as file:
    file.write(json.dumps([os.path.basename(sys.argv[0]), sys.argv[1:], dict(os.environ)]) + "\\n")
if sys.argv[0].endswith("git"):
    print("told by git")
"""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One thing that a pipeline asks for: to build, to run an image's command, or to push what was built.

    `variables` are those that the pipeline sets, `secrets` the names of those that it only hands on; `mounts` are
    (place in the container, folder of the clone). `environment` is all that the container would be told.
    """

    kind: Literal["build", "run", "push"]
    image: str
    command: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    secrets: frozenset[str] = frozenset()
    mounts: frozenset[tuple[str, str]] = frozenset()
    workdir: str | None = None
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def comparable(self) -> Call:
        """Without what each CI says in words of its own."""
        return replace(self, environment=())


class Recorder:
    """A folder of programs that write down what they were asked."""

    def __init__(self, folder: Path) -> None:
        self._bin, self._record = folder / "bin", folder / "record"
        self._bin.mkdir(parents=True)
        for name in ("docker", "git", *WORKPLACES):
            (self._bin / name).write_text(_RECORDER.format(python=sys.executable), "utf-8")
            (self._bin / name).chmod(0o755)

    @property
    def asked(self) -> list[Any]:
        """Everything that the last command asked for: program, words, environment."""
        return [json.loads(line) for line in self._record.read_text("utf-8").splitlines()]

    def run(self, command: list[str], env: Mapping[str, str], cwd: Path, *, image: str | None = None) -> list[Call]:
        """What a command asks for. `image` is the one whose container it runs in, where that is not the machine."""
        self._record.write_text("")
        given = {"PATH": f"{self._bin}:/usr/bin:/bin", "RECORD": str(self._record), **env}
        done = subprocess.run(command, env=given, cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        asked = self.asked
        for _, words, _ in asked:
            shown = [value for value in (SECRETS | LOGIN).values() if value in " ".join(words)]
            assert not [value for value in shown if value != LOGIN["REGISTRY_USERNAME"]], "the process list shows it"
        return list(_calls(asked, given, cwd, image))


def _calls(asked: Iterable[Any], given: Mapping[str, str], cwd: Path, image: str | None) -> Iterable[Call]:
    named = {}
    for program, words, env in asked:
        told = {name: value for name, value in env.items() if name not in {"RECORD", "PATH"}}
        if program in WORKPLACES:
            assert image is not None, f"{program} is no program of the machine"
            yield _inside(program, image, words, given, told)
        elif program == "docker" and words[0] == "build":
            yield _build(words[1:])
        elif program == "docker" and words[0] == "run":
            yield _run(words[1:], told, cwd)
        elif program == "docker" and words[0] == "tag":
            named[words[2]] = words[1]
        elif program == "docker" and words[0] == "push":
            assert named[words[1]] == f"storefront:{COMMIT}"
            yield Call(kind="push", image=words[1])
        else:
            assert program == "git" or words[0] == "login", f"{program} {words}"


def _build(words: list[str]) -> Call:
    option, argument, to, name, context = words
    assert (option, to, name, context) == ("--build-arg", "-t", f"storefront:{COMMIT}", ".")
    key, _, value = argument.partition("=")
    return Call(kind="build", image=BUILT, variables=((key, value),))


def _run(words: list[str], env: Mapping[str, str], cwd: Path) -> Call:
    said: dict[str, list[str]] = {"-v": [], "-w": [], "-e": []}
    position = 0
    while words[position].startswith("-"):
        if words[position] == "--rm":
            position += 1
        else:
            said[words[position]].append(words[position + 1])
            position += 2
    image, *command = words[position:]
    handed = {name: env[name] for name in said["-e"] if "=" not in name and name in env}
    own = dict(entry.split("=", 1) for entry in said["-e"] if "=" in entry)
    mounts = [re.fullmatch(r"(.*?):(/[^:]*)(:ro)?", entry) for entry in said["-v"]]
    places = [(match[2], Path(match[1])) for match in mounts if match]
    return Call(
        kind="run",
        image=BUILT if image == f"storefront:{COMMIT}" else image,
        command=tuple(command),
        variables=tuple(sorted(own.items())),
        secrets=frozenset(handed) & SECRETS.keys(),
        mounts=frozenset((place, str(host.relative_to(cwd))) for place, host in places if host.is_relative_to(cwd)),
        workdir=said["-w"][0] if said["-w"] else None,
        environment=tuple(sorted({**handed, **own}.items())),
    )


def _inside(program: str, image: str, words: list[str], given: Mapping[str, str], env: Mapping[str, str]) -> Call:
    """A step in its own image: the clone is where it works, so nothing has to be mounted."""
    clone = WORKPLACES[program]
    assert image.rpartition("/")[2].partition(":")[0] == program
    own = dict(item.split("=", 1) for item in given["OWN"].split("\n"))
    if program == "kit-deploymentizer":
        assert own.pop("CONF") == "kit.yaml"
    own = {name: clone if value == "$CI_PROJECT_DIR" else value for name, value in own.items() if name != "GIT_DEPTH"}
    return Call(
        kind="run",
        image=image,
        command=tuple(words),
        variables=tuple(sorted(own.items())),
        secrets=frozenset(env) & SECRETS.keys(),
        mounts=frozenset({(clone, ".")}),
        workdir=clone if program == "kit-deploymentizer" else None,
        environment=tuple(sorted({**env, **own}.items())),
    )


def shell(script: str) -> list[str]:
    """A script as CI services start one: it ends with the first command that fails."""
    return ["sh", "-eu", "-c", script]
