# SPDX-License-Identifier: MIT
"""What Jenkins would do with the examples' Jenkinsfiles, as far as these say it: declarative pipelines of stages.

Jenkins publishes no schema of them, and its own check is a part of a running server. So they are read by a parser of
Groovy, and every word in them must be one that is known here, where it may stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tree_sitter
import tree_sitter_groovy

from tests.unit.examples.asked import BRANCHES, COMMIT, LOGIN, SECRETS, Event, shell
from tests.unit.examples.ci_files import Script

_WORDS = {
    "": {"pipeline"},
    "pipeline": {"agent", "options", "stages"},
    "stages": {"stage"},
    "stage": {"when", "environment", "steps", "stages", "post"},
    "post": {"always", "cleanup"},
}
"""The sections of a declarative pipeline (https://www.jenkins.io/doc/book/pipeline/syntax/), those that we use."""
_CREDENTIALS = {
    "payment-key": {"": SECRETS["PAYMENT_KEY"]},
    "codeship-aes-key": {"": SECRETS["CODESHIP_AES_KEY"]},
    "registry": {"_USR": LOGIN["REGISTRY_USERNAME"], "_PSW": LOGIN["REGISTRY_PASSWORD"]},
    "deployments": {"username": SECRETS["KIT_GIT_USERNAME"], "password": SECRETS["KIT_GIT_PASSWORD"]},
}
_STRING = re.compile(r"'''(.*)'''|'(.*)'", re.DOTALL)


@dataclass(frozen=True)
class Word:
    """A call such as `stage('check') { … }`: its name, its arguments as they are written, and what is in its braces."""

    name: str
    arguments: str
    inside: tuple[Word, ...]
    text: str


def parsed(text: str) -> tuple[Word, ...]:
    """A Jenkinsfile's words. Raises ValueError with the line where it is no Groovy."""
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language())).parse(text.encode())
    if tree.root_node.has_error:
        raise ValueError(f"line {_first_error(tree.root_node).start_point[0] + 1} is no Groovy")
    return tuple(_words(tree.root_node))


def _first_error(node: tree_sitter.Node) -> tree_sitter.Node:
    if node.is_error or node.is_missing:
        return node
    return next((_first_error(child) for child in node.children if child.has_error), node)


def _words(node: tree_sitter.Node) -> Iterator[Word]:
    for child in node.named_children:
        found = child.named_children[0] if child.type == "expression_statement" else child
        if not found.named_children:  # a comment
            continue
        parts = {part.type: part for part in found.named_children}
        name = _text(found.named_children[0])
        text = _text(parts["closure"])[1:-1] if "closure" in parts else _text(found)
        inside = tuple(_words(parts["closure"])) if "closure" in parts else ()
        yield Word(name, _text(parts["argument_list"]) if "argument_list" in parts else "", inside, text)


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()


def jenkins(folder: Path, event: Event) -> Iterator[Script]:
    """A multibranch project."""
    words = parsed((folder / "Jenkinsfile").read_text("utf-8"))
    check(words)
    machine = {
        "BRANCH_NAME": BRANCHES[event], "GIT_COMMIT": COMMIT, "JENKINS_URL": "https://jenkins", "JOB_NAME": "shop",
        "BUILD_NUMBER": "7", "BUILD_URL": "https://jenkins/7",
    }  # fmt: skip
    (pipeline,) = words
    yield from _stages(pipeline, machine, event)


def check(words: tuple[Word, ...], where: str = "") -> None:
    """Raise ValueError for a section that there is not, or not there."""
    for word in words:
        if word.name not in _WORDS[where]:
            raise ValueError(f"{word.name} has no place in {where or 'the file'}")
        if word.name in _WORDS:
            check(word.inside, word.name)
    if where == "stage" and sum(word.name in {"steps", "stages"} for word in words) != 1:
        raise ValueError("a stage has either steps or stages")


def _stages(above: Word, env: Mapping[str, str], event: Event) -> Iterator[Script]:
    (stages,) = (word for word in above.inside if word.name == "stages")
    for stage in stages.inside:
        parts = {word.name: word for word in stage.inside}
        if "when" in parts and not _when(parts["when"], event):
            continue
        told = {**env, **(_environment(parts["environment"]) if "environment" in parts else {})}
        if "stages" in parts:
            yield from _stages(stage, told, event)
        else:
            yield from _steps(parts["steps"], told)


def _when(word: Word, event: Event) -> bool:
    said = " ".join(word.text.split())
    return {"branch 'master'": event == "master", "not { branch 'master' }": event != "master"}[said]


def _environment(word: Word) -> dict[str, str]:
    found = dict(re.findall(r"(\w+) = credentials\('([\w-]+)'\)", word.text))
    assert len(found) == len(word.text.strip().splitlines())
    return {name + end: value for name, credential in found.items() for end, value in _CREDENTIALS[credential].items()}


def _steps(word: Word, env: Mapping[str, str]) -> Iterator[Script]:
    for step in word.inside:
        if step.name == "withCredentials":
            said = dict(re.findall(r"(\w+): '([\w-]+)'", step.arguments))
            values = _CREDENTIALS[said["credentialsId"]]
            names = {said[f"{kind}Variable"]: value for kind, value in values.items()}
            yield from _steps(step, {**env, **names})
        else:
            assert step.name == "sh"
            match = _STRING.fullmatch(step.arguments)
            assert match, "a script in single quotes: Groovy fills in nothing, the shell everything"
            script = (match[1] or match[2]).replace("\\\n", "")
            assert "\\" not in script, "Groovy would take the backslash"
            yield Script(command=shell(script), env=env)
