# SPDX-License-Identifier: MIT
"""A run with an earlier output in place renders only what changed, and leaves what a full run would."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.deploymentizer.edits import ALWAYS, BASE, FILES, be_calm, everything, put
from tests.unit.deploymentizer.workshop import CONFIG_MAP, SERVICE, Workshop

EDITS = st.sampled_from([(name, number) for name, texts in FILES.items() for number in range(len(texts))])
SETTINGS = st.just({"KEY": "one"}) | st.fixed_dictionaries(
    {"KEY": st.sampled_from(["one", "one", "one", "other-value"])},
    optional={
        "KIT_VALIDATE": st.sampled_from(["off", "warn"]),
        "KIT_CONFIG_CHECKSUM": st.just("true"),
        "KIT_PLACEHOLDERS": st.just("true"),
        "KIT_COMMIT_ID": st.sampled_from(["1234567", "7654321"]),
    },
)


def warnings(log: str) -> list[str]:
    return sorted(line for line in log.splitlines() if line.startswith("warning") and "keep the old value" not in line)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calm=st.booleans(), steps=st.lists(st.tuples(st.lists(EDITS, max_size=2), st.booleans(), SETTINGS), max_size=7))
def test_after_any_edits_the_output_is_that_of_a_full_run(
    calm: bool, steps: list[tuple[list[tuple[str, int]], bool, dict[str, str]]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve() / "repository"
        folder.mkdir()
        workshop = Workshop(folder)
        for file, texts in FILES.items():
            if not file.startswith("generated"):
                put(workshop, file, texts[0])
        if calm:
            be_calm(workshop)
        assert workshop.run(KEY="one").code == 0
        for edits, unseen, env in steps:
            for file, number in edits:
                put(workshop, file, FILES[file][number], unseen=unseen)
            before = everything(folder / "generated")
            shutil.rmtree(folder / "full", ignore_errors=True)
            (folder / "generated").rename(folder / "kept")
            full = workshop.run(**env)
            expected = everything(folder / "generated") if full.code == 0 else before
            shutil.rmtree(folder / "generated", ignore_errors=True)
            (folder / "kept").rename(folder / "generated")
            result = workshop.run(**env)
            assert (result.code, warnings(result.log)) == (full.code, warnings(full.log))
            assert everything(folder / "generated") == expected


def test_nothing_is_rendered_where_nothing_changed(fleet: Workshop, rendered: list[str]) -> None:
    result = fleet.run(KEY="one")
    assert sorted(rendered) == ["east/key", "east/plain", "west/key", "west/plain"]  # `plain` has something to tell
    assert result.last == "result=unchanged clusters=2 written=0 unchanged=12 removed=0"
    rendered.clear()
    fleet.write({"resources/plain/plain.yaml": CONFIG_MAP.replace("{{{name}}}", "plain")})
    fleet.run(KEY="one")
    assert sorted(rendered) == [*ALWAYS[:1], "east/plain", "west/key", "west/plain"]
    rendered.clear()
    fleet.run(KEY="one")
    assert rendered == ALWAYS


@pytest.mark.parametrize(
    ("file", "text", "again"),
    [
        ("images/shop/web/master.yaml", "image: shop/web:2\n", {"east/web", "west/web"}),
        ("resources/lib/data.j2", "data: {a: '2'}\n", {"east/job", "west/job", "east/choice", "west/choice"}),
        ("resources/lib/new.j2", "data: {a: '2'}\n", {"east/choice", "west/choice"}),
        ("resources/base-svc.mustache", SERVICE + "# x\n", {"east/web", "west/web"}),
        ("clusters/west/cluster.yaml", "kind: ClusterNamespace\nmetadata: {name: west, type: prod}\n# x\n",
         {"west/web", "west/job", "west/choice", "west/plain"}),
        ("generated/west/job.yaml", "mine", {"west/job"}),
        ("docs/readme.md", "x", set()),
    ],
)  # fmt: skip
def test_only_what_is_made_from_a_changed_file_is_rendered(
    fleet: Workshop, rendered: list[str], file: str, text: str, again: set[str]
) -> None:
    (fleet.folder / "resources/base-svc.yaml.j2").unlink()
    fleet.write({"resources/plain/plain.yaml": CONFIG_MAP.replace("{{{name}}}", "plain")})
    fleet.run(KEY="one")
    rendered.clear()
    fleet.write({file: text})
    fleet.run(KEY="one")
    assert set(rendered) == again | set(ALWAYS)


@pytest.mark.parametrize(
    "env",
    [{"KIT_INCREMENTAL": "false"}, {"KIT_VALIDATE": "warn"}, {"KIT_PLACEHOLDERS": "true"}, {"SAVE": "false"}],
)
def test_other_settings_render_everything(fleet: Workshop, rendered: list[str], env: dict[str, str]) -> None:
    fleet.run(KEY="one", **env)
    assert len(rendered) == 10


def test_with_checksums_a_cluster_is_rendered_whole_or_not_at_all(fleet: Workshop, rendered: list[str]) -> None:
    fleet.write({
        "resources/plain/plain.yaml": CONFIG_MAP.replace("{{{name}}}", "plain"),
        "base-cluster.yaml": BASE.rsplit("  key:", 1)[0],
        "clusters/west/cluster.yaml": "kind: ClusterNamespace\nmetadata: {name: west, type: prod, branch: release}\n",
        "images/shop/web/release.yaml": "image: shop/web:3\n",
    })  # fmt: skip
    fleet.run(KIT_CONFIG_CHECKSUM="true")
    rendered.clear()
    fleet.run(KIT_CONFIG_CHECKSUM="true")
    assert rendered == []
    fleet.write({"images/shop/web/release.yaml": "image: shop/web:4\n"})
    fleet.run(KIT_CONFIG_CHECKSUM="true")
    assert sorted(rendered) == ["west/choice", "west/job", "west/plain", "west/web"]


def test_a_run_about_one_resource_keeps_what_is_known_of_the_others(fleet: Workshop, rendered: list[str]) -> None:
    fleet.write({"images/shop/web/master.yaml": "image: shop/web:2\n"})
    fleet.run(KEY="one", RESOURCE="web")
    assert rendered == ["east/web", "west/web"]
    rendered.clear()
    fleet.run(KEY="one")
    assert sorted(rendered) == ["east/key", "east/plain", "west/key", "west/plain"]


def test_workloads_that_keep_an_old_value_are_named_though_they_are_not_rendered(fleet: Workshop) -> None:
    fleet.write({"resources/lib/data.j2": "data: {a: '3'}\n"})
    assert "Deployment web will keep the old value" in fleet.run(KEY="one").log


def test_two_objects_of_one_name_are_told_though_one_of_them_is_not_rendered(fleet: Workshop) -> None:
    fleet.write({"resources/plain/plain.yaml": CONFIG_MAP.replace("{{{name}}}", "plain")})
    fleet.run(KEY="one")
    fleet.write({"resources/plain/plain.yaml": CONFIG_MAP.replace("{{{name}}}", "job")})
    result = fleet.run(KEY="one")
    assert result.code == 1
    assert "ConfigMap job is already in job.yaml (resource job)" in result.log
