# SPDX-License-Identifier: MIT
"""docs/pipelines.md names every pipeline that there is, and shows what kit-pipeline says."""

import re
import shlex
import shutil
from pathlib import Path

from tests.unit.pipeline.sealing_program import kit

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/pipelines.md").read_text("utf-8")
EXAMPLES = ("service-repo", "deployments-repo")


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    return [text for kind, text in found if kind == language]


def typed() -> list[list[str]]:
    """Every call of kit-pipeline that the guide tells to type, without its name."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("kit-pipeline ")]
    inline = re.findall(r"`kit-pipeline ([a-z][^`]*)`", DOCUMENT)
    return [shlex.split(line.partition(" ")[2]) for line in lines] + [shlex.split(text) for text in inline]


def test_every_pipeline_of_the_examples_is_in_the_table() -> None:
    linked = set(re.findall(r"\]\(\.\./examples/([^)]+)\)", DOCUMENT))
    there = {
        str(path.relative_to(ROOT / "examples"))
        for repository in EXAMPLES
        for pattern in ("codeship-*.yml", ".github/workflows/*.yml", ".gitlab-ci.yml", "Jenkinsfile", "pipeline.sh")
        for path in (ROOT / "examples" / repository).glob(pattern)
    }
    assert linked == there


def test_the_shown_plan_is_the_plan(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples/service-repo", tmp_path / "service")
    said = kit(tmp_path / "service", *typed()[0])
    assert said.code == 0, said.err
    assert said.out.decode() in blocks("")


def test_the_shown_finding_is_what_validate_finds(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples/service-repo", tmp_path / "service")
    file = tmp_path / "service/codeship-services.yml"
    file.write_text(file.read_text("utf-8").replace("context: .", "contxt: ."), "utf-8")
    said = kit(tmp_path / "service", "validate")
    shown = blocks("")[-1].strip()
    assert shown.startswith("codeship-services.yml:")
    assert shown in said.out.decode() + said.err


def test_the_calls_have_options_that_there_are(tmp_path: Path) -> None:
    assert len(typed()) >= 7
    for words in typed():
        known = kit(tmp_path, words[0], "--help").out.decode()
        for word in words[1:]:
            assert not word.startswith("-") or re.search(rf"(^|[ ,]){word}\b", known), words
