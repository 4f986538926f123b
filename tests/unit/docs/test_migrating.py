# SPDX-License-Identifier: MIT
"""What docs/migrating.md promises to people who come from the original holds."""

import re
import shlex
from pathlib import Path

import pytest

import kit_deployer.cli
import kit_deploymentizer.cli
import kit_image_deployer.cli
from kit_core.declare import declared
from kit_core.step import Step
from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Workshop

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/migrating.md").read_text("utf-8")
STEPS: dict[str, Step] = {
    module.STEP.name: module.STEP for module in (kit_image_deployer.cli, kit_deploymentizer.cli, kit_deployer.cli)
}
NAMES = {name: {one for item in declared(step.settings) for one in item.spellings} for name, step in STEPS.items()}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A small deployments repository of its own."""
    (tmp_path / "repository").mkdir()
    return Workshop(tmp_path / "repository")


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])(?:=[a-z]+)?`", DOCUMENT))
    named |= set(re.findall(r"`(CLEAN|CONFIGS|RAW)(?:=[a-z]+)?`", DOCUMENT))
    assert len(named) > 15
    assert named <= set().union(*NAMES.values())


def test_what_is_said_to_have_no_effect_is_all_that_has_none() -> None:
    rows = dict(re.findall(r"^\| (kit-[a-z-]+) \| (`.*`) \|$", DOCUMENT, re.MULTILINE))
    said = {step: set(re.findall(r"`([A-Z_]+)`", names)) for step, names in rows.items()}
    ignored = {
        name: {item.field.upper() for item in declared(step.settings) if item.ignored} for name, step in STEPS.items()
    }
    assert said == {name: fields for name, fields in ignored.items() if fields}


def test_the_commands_name_images_settings_and_commands_that_exist() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    # Without the tag: `make images` gives no `latest`.
    runs = [[word.removesuffix(":0.1") for word in shlex.split(line)] for line in lines if "docker run" in line]
    assert len(runs) == 4
    for words in runs:
        (image,) = STEPS.keys() & set(words)
        given = {words[at + 1].partition("=")[0] for at, word in enumerate(words) if word == "-e"}
        assert given <= NAMES[image]
        assert all(STEPS[image].command(word) for word in words[words.index(image) + 1 :])


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", DOCUMENT)
    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)


@pytest.mark.parametrize(
    ("files", "env", "code", "told"),
    [
        ({}, {"CONF": "none.yaml"}, 2, "kit.yaml is missing"),
        ({"resources/app/app.j2": "{{ nothing }}"}, {}, 1, "The template did not render"),
        ({"resources/other/app.mustache": CONFIG_MAP.replace("{{{name}}}", "b")}, {}, 2, "would write app.yaml"),
        ({"kit.yaml": KIT + "clean: true\n"}, {}, 2, "kit.yaml:8: unknown key clean"),
        ({"resources/other/other.mustache": CONFIG_MAP.replace("{{{name}}}", "app")}, {}, 1, "is already in app.yaml"),
        ({}, {"KIT_CLUSTER_NAM": "east"}, 2, "KIT_CLUSTER_NAME is probably meant"),
        ({"base-var.yaml": "kind: ResourceConfig\n{{name}}: 1\n"}, {}, 2, "base-var.yaml"),
        ({"base-var.yaml": "kind: ResourceConfig\n\ta: 1\n"}, {}, 2, "base-var.yaml"),
        ({"base-var.yaml": "kind: ResourceConfig\na: 1\na: 2\n"}, {}, 0, "a key stands twice in one map"),
        ({"resources/app/app.mustache": "a: b\n"}, {}, 0, "this is no Kubernetes object"),
        ({"resources/app/app.mustache": "a: b\n"}, {"KIT_VALIDATE": "error"}, 1, "this is no Kubernetes object"),
        ({"resources/app/app.mustache": CONFIG_MAP + "data: {a: '{{{none}}}'}\n"}, {}, 0, "nothing sets none"),
    ],
)  # fmt: skip
def test_what_the_table_says_happens(
    workshop: Workshop, files: dict[str, str], env: dict[str, str], code: int, told: str
) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write(files)
    for file in files:
        if file.startswith("resources/other/"):
            workshop.resources(
                f"app: {{file: ./app/app.mustache}}\nother: {{file: ./{file.removeprefix('resources/')}}}"
            )
        if file.endswith(".j2"):
            workshop.resources("app: {file: ./app/app.j2}")
    result = workshop.run(**env)
    assert result.code == code, result.log
    assert told in result.log
    assert (result.files == {}) == (code != 0)


def test_checks_become_warnings_where_asked(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({"kit.yaml": KIT + "clean: true\n"})
    assert workshop.run(KIT_VALIDATE="warn").code == 0
    assert "unknown key" not in workshop.run(KIT_VALIDATE="off").log
