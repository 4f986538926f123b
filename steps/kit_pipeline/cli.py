# SPDX-License-Identifier: MIT
"""The program: its commands, under the names that jet gave them."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NoReturn

from kit_core.entry import Argument, Command, Context, Step, run
from kit_core.step import Run
from kit_pipeline.settings import BUILD, CHECKING, CHOICE, FILES, KEYS, RUNNING, VARIABLES, PipelineSettings

SUMMARY: Final = (
    "Runs codeship-services.yml and codeship-steps.yml on any machine with Docker, and encrypts and decrypts what goes"
    " with them. `alias jet=kit-pipeline` works for what people did by hand."
)

_RUN: Final = frozenset({FILES, VARIABLES, BUILD, RUNNING, KEYS})


def _command(name: str) -> Run:
    """The command of a module of that name, loaded when it is used."""

    def begin(settings: Any, context: Context, arguments: Mapping[str, Any]) -> int | None:
        module = import_module(f"kit_pipeline.commands.{name}")
        found: Run = getattr(module, f"{name}_command")
        return found(settings, context, arguments)

    return begin


_IN: Final = Argument(name="IN", help="The file to read; - is standard input.")
_SERVICE: Final = Argument(name="SERVICE", help="A service of the services file.")

STEP: Final = Step(
    name="kit-pipeline",
    package="kit_pipeline",
    summary=SUMMARY,
    settings=PipelineSettings,
    bare=False,
    commands=(
        Command(
            name="steps",
            help="Run the steps. Push steps are left out without --push, steps with a tag without --tag.",
            run=_command("steps"),
            groups=_RUN | {CHOICE},
        ),
        Command(
            name="run",
            help="Run a service's container, with what it needs beside it: its own command, or the one given. On a"
            " terminal the program has the terminal; else what it prints is on standard output,"
            " and it is given no input.",
            run=_command("run"),
            arguments=(
                _SERVICE,
                Argument(name="COMMAND", help="A command for it, as it is.", required=False, many=True),
            ),
            groups=_RUN,
            verbatim=True,
        ),
        Command(
            name="load",
            help="Build or pull a service's image.",
            run=_command("load"),
            arguments=(_SERVICE,),
            groups=_RUN,
        ),
        Command(
            name="validate",
            help="Check both files: errors, likely mistakes, and what has no effect here. Nothing is run.",
            run=_command("validate"),
            groups=frozenset({FILES, CHECKING, CHOICE}),
        ),
        Command(
            name="encrypt",
            help="Encrypt a file.",
            run=_command("encrypt"),
            arguments=(_IN, Argument(name="OUT", help="The encrypted file to write; - is standard output.")),
            groups=frozenset({KEYS, FILES}),
        ),
        Command(
            name="decrypt",
            help="Decrypt a file.",
            run=_command("decrypt"),
            arguments=(
                _IN,
                Argument(name="OUT", help="The file to write, mode 600; standard output without it.", required=False),
            ),
            groups=frozenset({KEYS, FILES}),
        ),
        Command(
            name="generate",
            help="Make a new AES key.",
            run=_command("generate"),
            arguments=(Argument(name="OUT", help="Its file, mode 600; codeship.aes without it.", required=False),),
            groups=frozenset({KEYS, FILES}),
        ),
        Command(
            name="rekey",
            help="Encrypt files under a new key (--new-key-path): all of them, or none.",
            run=_command("rekey"),
            arguments=(Argument(name="FILE", help="An encrypted file, or a folder to look through.", many=True),),
            groups=frozenset({KEYS, FILES}),
        ),
        Command(
            name="edit",
            help="Open $EDITOR on an encrypted file's text, in memory, and encrypt what it makes of it.",
            run=_command("edit"),
            arguments=(Argument(name="FILE", help="The encrypted file; a new one is made."),),
            groups=frozenset({KEYS, FILES}),
        ),
        Command(
            name="cleanup",
            help="Remove what runs have left in the engine that were killed, and the images that runs have built. What"
            " belongs to a run that goes on stays; one elsewhere with this engine counts as going on for a day.",
            run=_command("cleanup"),
            groups=frozenset(),
        ),
    ),
    examples=(
        "kit-pipeline validate",
        "kit-pipeline steps --tag master --push",
        "kit-pipeline steps --plan --tag master",
        "kit-pipeline run -e VERBOSE=1 app npm test",
        "kit-pipeline decrypt deploy.env.encrypted",
        'docker run --rm -v /var/run/docker.sock:/var/run/docker.sock -v "$PWD:$PWD" -w "$PWD" kit-pipeline steps',
    ),
)


def main() -> NoReturn:
    """The entry point of the program."""
    run(STEP)
