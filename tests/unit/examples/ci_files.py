# SPDX-License-Identifier: MIT
"""What each CI service would do with the examples' files: the scripts that run for an event, in order, each with what
it is told.

Only what the files use is understood. Anything else is a KeyError or an assertion: a file says what nobody looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.unit.examples.asked import BRANCHES, COMMIT, LOGIN, SECRETS, Event, shell


@dataclass(frozen=True, kw_only=True)
class Script:
    """A command of a CI service, its variables, and the image whose container it runs in (None: the machine)."""

    command: list[str]
    env: Mapping[str, str]
    image: str | None = None


def github(folder: Path, event: Event) -> Iterator[Script]:
    """GitHub Actions. A branch is what has a pull request."""
    machine = {
        "GITHUB_ACTIONS": "true", "GITHUB_SHA": COMMIT, "GITHUB_ACTOR": "ada", "GITHUB_EVENT_PATH": "/events/push.json",
        "GITHUB_EVENT_NAME": "push" if event == "master" else "pull_request", "GITHUB_RUN_NUMBER": "7",
        "GITHUB_RUN_ID": "123", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/storefront",
        "GITHUB_REF": "refs/heads/master" if event == "master" else "refs/pull/3/merge",
        "GITHUB_WORKFLOW_REF": "shop/storefront/.github/workflows/pipeline.yml@refs/heads/master",
    }  # fmt: skip
    for path in sorted((folder / ".github/workflows").glob("*.yml")):
        workflow = read(path)
        started = workflow["on"] if isinstance(workflow["on"], dict) else {workflow["on"]: None}
        assert started.get("push", {"branches": ["master"]}) == {"branches": ["master"]}
        if ("push" if event == "master" else "pull_request") not in started:
            continue
        assert workflow["permissions"] == {"contents": "read"}
        (job,) = workflow["jobs"].values()
        for step in job["steps"]:
            if "run" in step and _github_if(step.get("if"), event):
                env = {**job.get("env", {}), **step.get("env", {})}
                yield Script(
                    command=shell(step["run"]),
                    env={**machine, **{name: _github_value(text, event) for name, text in env.items()}},
                )


def _github_if(condition: str | None, event: Event) -> bool:
    return {None: True, "github.event_name == 'push'": event == "master"}[condition]


def _github_value(text: str, event: Event) -> str:
    known = {
        **{f"secrets.{name}": value for name, value in (SECRETS | LOGIN).items()},
        "github.head_ref || github.ref_name": BRANCHES[event],
    }
    return re.sub(r"\${{ *(.*?) *}}", lambda match: known[match[1]], text)


def gitlab(folder: Path, event: Event) -> Iterator[Script]:
    """GitLab CI. A branch is what has a merge request; protected variables are not told to those."""
    text = (folder / ".gitlab-ci.yml").read_text("utf-8")
    of_the_project = {name: value for name, value in (SECRETS | LOGIN).items() if name in text}
    machine = {"GITLAB_CI": "true", "CI_COMMIT_SHA": COMMIT, "CI_PROJECT_URL": "https://gitlab.com/shop/storefront"}
    if event == "master":
        machine |= {
            "CI_COMMIT_BRANCH": "master", "CI_COMMIT_MESSAGE": "Greet", "CI_COMMIT_AUTHOR": "Ada <ada@shop.example>",
            "CI_PIPELINE_IID": "7", "CI_PIPELINE_URL": "https://gitlab.com/p/7", **of_the_project,
        }  # fmt: skip
    else:
        machine |= {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": BRANCHES[event]}
    file = read(folder / ".gitlab-ci.yml")
    assert [_gitlab_rule(rule, kind) for rule in file["workflow"]["rules"] for kind in BRANCHES] == [1, 0, 0, 1]
    jobs = {name: job for name, job in file.items() if name not in {"workflow", "stages"} and name[0] != "."}
    stages = file.get("stages", ["test"])
    for job in sorted(jobs.values(), key=lambda job: stages.index(_inherited(job, file).get("stage", "test"))):
        whole = _inherited(job, file)
        (rule,) = whole["rules"]
        if not _gitlab_rule(rule, event):
            continue
        own = whole.get("variables", {})
        script = "\n".join(_flat(whole["script"]))
        image = whole["image"]
        if isinstance(image, str):
            assert image.startswith("docker:")
            yield Script(command=shell(script), env={**machine, **own})
        else:
            assert image["entrypoint"] == [""]
            lines = "\n".join(f"{name}={value}" for name, value in own.items())
            yield Script(command=shell(script), env={**machine, **own, "OWN": lines}, image=image["name"])


def _gitlab_rule(rule: Mapping[str, str], event: Event) -> bool:
    return {
        '$CI_PIPELINE_SOURCE == "merge_request_event"': event == "branch",
        '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "master"': event == "master",
    }[rule["if"]]


def _inherited(job: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    return {**file[job["extends"]], **job} if "extends" in job else dict(job)


def _flat(script: Any) -> Iterator[str]:
    for line in script:
        if isinstance(line, str):
            yield line
        else:
            yield from _flat(line)


def plain(folder: Path, event: Event) -> Iterator[Script]:
    """The shell script, where a CI tells it all that it asks git for."""
    told = {
        "CI_BRANCH": BRANCHES[event], "CI_COMMIT_ID": COMMIT, "CI_COMMITTER_NAME": "Ada",
        "CI_COMMITTER_EMAIL": "ada@shop.example", "CI_COMMIT_MESSAGE": "Greet",
    }  # fmt: skip
    yield Script(command=[str(folder / "pipeline.sh")], env={**told, **(SECRETS if event == "master" else {})})


def read(path: Path) -> Any:
    """A YAML file, every scalar as it is written."""
    return yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
