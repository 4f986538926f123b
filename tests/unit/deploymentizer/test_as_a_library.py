# SPDX-License-Identifier: MIT
"""The documented entry point, the commit of a clone, and what stays out of logs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kit_deploymentizer
from kit_deploymentizer import Deploymentizer, DeploymentizerSettings, RenderError
from kit_deploymentizer.output.commit import checked_out_commit
from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, Workshop

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_example_of_the_packages_docstring_works(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop.app(CONFIG_MAP)
    monkeypatch.chdir(workshop.folder)
    example = re.search(r"As a library:\n\n((?:    .*\n|\n)+)", kit_deploymentizer.__doc__ or "")
    assert example
    code = "\n".join(line.removeprefix("    ") for line in example[1].splitlines())
    exec(compile(code, "example", "exec"), {})
    assert capsys.readouterr().out == "rendered ('east/app.yaml', 'west/app.yaml')\n"


def test_the_example_of_the_guide_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(__file__).parents[3]
    shutil.copytree(root / "examples/deployments-repo", tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    (code,) = re.findall(
        r"```python\n(.*?)```", (root / "docs/deployments-repository.md").read_text("utf-8"), re.DOTALL
    )
    exec(compile(code, "example", "exec"), {})
    said = capsys.readouterr().out
    assert "staging-eu ['cart-deployment.yaml', 'cart.yaml', " in said
    assert "'staging-eu/cart.yaml'" in said
    assert "storefront.env.0.value off clusters/production-us/cluster.yaml:10\n" in said


def test_what_the_commands_answer_the_library_answers(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP + "data: {a: '{{{word}}}'}\n")
    workshop.write({
        "base-var.yaml": "kind: ResourceConfig\nword: before\n",
        "type/demo-var.yaml": "kind: ResourceConfig\nmetadata: {type: demo}\n",
    })  # fmt: skip

    def step(**limits: Any) -> Deploymentizer:
        made = DeploymentizerSettings(conf=Path("kit.yaml"), **limits)
        return Deploymentizer(made, env={}, cwd=workshop.folder)

    step().run()
    assert not step().diff("generated")
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nword: after\n"})
    difference = step().diff("generated")
    assert isinstance(difference, kit_deploymentizer.Difference)
    assert [(one.path, one.kind, one.clusters) for one in difference.changes] == [
        ("app.yaml", "changed", ("east", "west"))
    ]
    assert step(cluster_name="east").diff("generated").clusters == ("east",)
    (finding,) = step(cluster_name="east", resource="app").lint()
    assert isinstance(finding, kit_deploymentizer.Finding)
    assert (finding.kind, finding.file, finding.line) == ("unused-type", "type/demo-var.yaml", 2)
    (word,) = [one for one in step().explain("east", "app") if one.name == "word"]
    assert isinstance(word, kit_deploymentizer.Explained)
    assert (word.setter.value, word.setter.told) == ("after", "base-var.yaml:2")
    assert isinstance(step().plan(), kit_deploymentizer.Plan)
    assert workshop.output()["east/app.yaml"].endswith("data: {a: 'before'}\n"), "only run writes"


def test_all_names_of_the_package_are_there() -> None:
    assert all(getattr(kit_deploymentizer, name).__name__ == name for name in kit_deploymentizer.__all__)


def test_a_plan_is_a_value_and_is_what_gets_written(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    step = Deploymentizer(DeploymentizerSettings(conf=Path("kit.yaml")), env={}, cwd=workshop.folder)
    plan = step.plan()
    assert workshop.output() == {}
    assert [(cluster.name, [output.path for output in cluster.outputs]) for cluster in plan.clusters] == [
        ("east", ["app.yaml"]),
        ("west", ["app.yaml"]),
    ]
    report = step.run(plan)
    assert (report.word, report.written) == ("rendered", ("east/app.yaml", "west/app.yaml"))
    assert workshop.output()["east/app.yaml"].encode() == plan.clusters[0].outputs[0].content
    again = Deploymentizer(DeploymentizerSettings(conf=Path("kit.yaml")), env={}, cwd=workshop.folder).run()
    assert (again.word, again.written) == ("unchanged", ())


def test_a_plan_with_errors_raises_all_of_them_and_writes_nothing(workshop: Workshop) -> None:
    workshop.resources("one: {svc: {}}\ntwo: {file: a.txt}")
    step = Deploymentizer(DeploymentizerSettings(conf=Path("kit.yaml")), env={}, cwd=workshop.folder)
    with pytest.raises(RenderError) as caught:
        step.run()
    assert len(caught.value.problems) == 2
    assert caught.value.exit_code == 2
    assert "svc of resource one has no name" in str(caught.value)
    assert "a.txt is of an unknown kind" in str(caught.value)
    assert workshop.output() == {}


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Kit"):
        kit_deploymentizer.Kit  # noqa: B018


def test_importing_the_package_and_its_settings_loads_nothing_heavy() -> None:
    code = (
        "import sys, kit_deploymentizer.cli;"
        "print([name for name in ('yaml', 'jinja2', 'ssl', 'urllib.request', 'typer') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": ":".join(sys.path)})  # fmt: skip
    assert done.stdout == "[]\n"


def test_an_external_value_is_in_no_log(workshop: Workshop) -> None:
    workshop.app(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n{{#app.env}}\ndata: {a: b: {{{value}}}}\n{{/app.env}}\n",
        "  env: [{name: KEY, external: true, encoding: base64}]\n",
    )
    result = workshop.run("--debug", KEY="canary-value-1")
    assert "malformed YAML" in result.log
    assert "data: {a: b: ***" in result.log
    assert "canary" not in result.log
    assert "Y2FuYXJ5LXZhbHVlLTE=" not in result.log


@pytest.mark.parametrize(
    ("files", "commit"),
    [
        ({"HEAD": COMMIT}, COMMIT),
        ({"HEAD": "ref: refs/heads/main\n", "refs/heads/main": f"{COMMIT}\n"}, COMMIT),
        ({"HEAD": "ref: refs/heads/a", "packed-refs": f"# x\n{'1' * 40} refs/heads/ab\n{COMMIT} refs/heads/a"}, COMMIT),
        ({"HEAD": "ref: refs/heads/unborn"}, None),
        ({"HEAD": "nonsense"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_commit_of_a_clone(tmp_path: Path, files: dict[str, str], commit: str | None) -> None:
    (tmp_path / ".git").mkdir()
    for name, text in files.items():
        path = tmp_path / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    below = tmp_path / "deployments"
    below.mkdir()
    assert checked_out_commit(below) == commit


def test_the_commit_of_a_worktree(tmp_path: Path) -> None:
    main, work = tmp_path / "main/.git", tmp_path / "work"
    own = main / "worktrees/work"
    own.mkdir(parents=True)
    work.mkdir()
    (main / "refs/heads").mkdir(parents=True)
    (main / "refs/heads/side").write_text(COMMIT)
    (own / "HEAD").write_text("ref: refs/heads/side\n")
    (own / "commondir").write_text("../..\n")
    (work / ".git").write_text(f"gitdir: {own}\n")
    assert checked_out_commit(work) == COMMIT


def test_the_index_names_the_commit(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP)
    workshop.write({".git/HEAD": COMMIT})
    workshop.run()
    assert workshop.index("east")["commit"] == COMMIT


def test_external_values_are_told_to_whoever_masks_logs(workshop: Workshop) -> None:
    workshop.app(CONFIG_MAP, "  env: [{name: KEY, external: true, encoding: hex}]\n")
    learnt: list[str] = []
    settings = DeploymentizerSettings(conf=Path("kit.yaml"))
    Deploymentizer(settings, env={"KEY": "abc"}, cwd=workshop.folder, learn_secret=learnt.append).plan()
    assert set(learnt) == {"abc", "616263"}


def test_a_value_of_an_environment_source_is_in_no_finding(workshop: Workshop) -> None:
    workshop.write({
        "kit.yaml": KIT + "plugin: {path: x/file-config, options: {configPath: config}}\n",
        "config/app/east-env.json": '{"env": [{"name": "A", "value": 4711471147}, {"name": "B", "value": {"c": []}}]}',
    })  # fmt: skip
    workshop.app("apiVersion: v1\nkind: Secret\nmetadata: {name: {{app.env.0.value}}}\n")
    result = workshop.run(KIT_VALIDATE="error", CLUSTER_NAME="east")
    assert result.code == 1
    assert "its metadata.name is read as ***, which is no string" in result.log
    assert "4711471147" not in result.log


@pytest.mark.parametrize("engine", ["mustache", "j2"])
def test_a_value_of_an_environment_source_is_in_no_error(workshop: Workshop, engine: str) -> None:
    """It is masked where it stands, not in the whole log: a source's values may be any everyday word."""
    expression = "{{ view[view.app.env[0].value] }}"
    body = "a: b: {{{app.env.0.value}}}\n" if engine == "mustache" else f"a: {expression}\n"
    workshop.write({
        f"resources/app/app.{engine}": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\n{body}",
        "kit.yaml": KIT + "plugin: {path: x/file-config, options: {configPath: config}}\n",
        "config/app/east-env.json": '{"env": [{"name": "A", "value": "canary"}]}',
        "config/app/west-env.json": '{"env": [{"name": "A", "value": "canary"}]}',
    })  # fmt: skip
    workshop.resources(f"app: {{file: ./app/app.{engine}}}")
    result = workshop.run(KIT_VALIDATE="error")
    assert result.code == 1
    assert "canary" not in result.log


@pytest.mark.parametrize("workdir", [None, "deep/fleet"])
def test_a_ci_marks_files_from_its_checkout(workshop: Workshop, workdir: str | None) -> None:
    place = Workshop(workshop.folder / workdir) if workdir else workshop
    place.app("{{#open}}")
    place.write({"deep/unused": ""})
    env = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/elsewhere", **({"WORKDIR": workdir} if workdir else {})}
    result = workshop.run(CONF=f"{place.folder}/kit.yaml", **env)
    prefix = f"{workdir}/" if workdir else ""
    assert f"file={prefix}resources/app/app.mustache,line=1" in result.log
    assert "resources/app/app.mustache:1:1: The template cannot be parsed" in result.log
