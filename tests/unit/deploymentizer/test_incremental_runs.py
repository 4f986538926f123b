# SPDX-License-Identifier: MIT
"""A run with an earlier output in place renders only what changed, and leaves what a full run would."""

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_core.yamlio import load_document
from kit_deployer.inputs.index import read_index as read_by_deployer
from kit_deploymentizer.inputs import reading
from kit_deploymentizer.output.digests import Digests
from kit_deploymentizer.output.index import head_of, index_text, lines_of, read_index, with_head
from kit_deploymentizer.output.remembered import MISSING, Remembered
from kit_deploymentizer.output.reuse import EarlierCluster
from kit_deploymentizer.output.stamps import read_notes
from kit_deploymentizer.planner import Planner
from tests.unit.deploymentizer.workshop import CONFIG_MAP, KIT, SERVICE, Workshop

WEB = CONFIG_MAP.replace("ConfigMap", "Deployment").replace("v1", "apps/v1") + (
    "spec:\n  replicas: {{{replicas}}}\n  template:\n    metadata: {labels: {name: x}}\n    spec:\n"
    "      containers:\n      - {name: c, image: '{{{web.image}}}', envFrom: [{configMapRef: {name: job}}]}\n"
)
JOB = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: job}\n{% include 'lib/data.j2' %}\n"
CHOICE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: choice}\n{% include ['lib/new.j2', 'lib/data.j2'] %}\n"

WARNED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: '1', a: '2'}\n"
BASE = """\
kind: ClusterNamespace
metadata: {name: base, branch: master}
resources:
  web: {file: web/web.mustache, image_tag: shop/web, svc: {name: web-svc}}
  job: {file: job/job.j2}
  choice: {file: job/choice.yaml.j2}
  plain: {file: plain/plain.yaml}
  key: {file: key/key.mustache, env: [{name: KEY, external: true}]}
"""
CALM = BASE.rsplit("  key:", 1)[0]
"""Nothing of it comes from outside of the repository, so that a cluster can be used again without a look at each."""
FILES: Mapping[str, tuple[str | None, ...]] = {
    "kit.yaml": (KIT, KIT + "# another\n"),
    "base-cluster.yaml": (BASE, BASE.replace("shop/web", "shop/api"), BASE + "  more: {file: plain/plain.yaml}\n",
                          BASE.replace("  job: {", "  job: {disable: true, "), CALM),
    "base-var.yaml": ("kind: ResourceConfig\nreplicas: 1\n", "kind: ResourceConfig\nreplicas: 2\n",
                      "kind: ResourceConfig\n"),
    "type/test-var.yaml": ("kind: ResourceConfig\nmetadata: {type: test}\n",
                           "kind: ResourceConfig\nmetadata: {type: test}\nreplicas: 5\n",
                           "kind: ResourceConfig\nmetadata: &m {type: test}\nsame: *m\nreplicas: 6\n",
                           "kind: ResourceConfig\nmetadata: {type: test}\nreplicas: 1.0\nday: 2020-01-01\n"),
    "clusters/east/cluster.yaml": ("kind: ClusterNamespace\nmetadata: {name: east, type: test}\n",
                                   "kind: ClusterNamespace\nmetadata: {name: east, type: prod, allowFailure: true}\n",
                                   "kind: ClusterNamespace\nmetadata: {name: east, type: test, disable: true}\n",
                                   None),
    "clusters/east/configuration-var.yaml": (None, "kind: ResourceConfig\nreplicas: 7\n"),
    "clusters/north/cluster.yaml": (None, "kind: ClusterNamespace\nmetadata: {name: north, type: prod}\n"),
    "images/shop/web/master.yaml": ("image: shop/web:1\n", "image: shop/web:2\n", "image: a:1\nimage: a:2\n", None),
    "images/shop/api/master.yaml": ("image: shop/api:1\n", "image: shop/api:2\n"),
    "resources/web/web.mustache": (WEB, WEB + "# more\n", WEB + "  replicas: 1\n", WEB.replace("Deploy", "Deploi")),
    "resources/base-svc.mustache": (SERVICE, SERVICE + "# {{{nobody}}}\n", None),
    "resources/base-svc.yaml.j2": (SERVICE.replace("{{{", "{{").replace("}}}", "}}") + "# jinja\n", None),
    "resources/job/job.j2": (JOB, JOB + "# more\n"),
    "resources/job/choice.yaml.j2": (CHOICE,),
    "resources/lib/data.j2": ("data: {a: '1'}\n", "data: {a: '2'}\r\n", None),
    "resources/lib/new.j2": (None, "data: {a: new}\n"),
    "resources/plain/plain.yaml": (WARNED, CONFIG_MAP.replace("{{{name}}}", "plain"),
                                   CONFIG_MAP.replace("{{{name}}}", "job")),
    "resources/key/key.mustache": (CONFIG_MAP + "data: {k: '{{#key.env}}{{{value}}}{{/key.env}}'}\n",),
    "generated/east/web.yaml": ("mine\n", None),
    "generated/west/job.yaml": (CONFIG_MAP, None),
    "generated/west/stray.yaml": ("a: b\n",),
    "generated/.kit/east.json": ("{", '{"version": 1, "files": {}, "secrets": {}}', None),
    "generated/.kit/stamps": ("[]", '{"east": {"web.yaml": [1, 2]}}', None),
    "generated/.kit/parsed": ("", "kit parsed 1 a b\nc {}\n", None),
}  # fmt: skip
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


def put(workshop: Workshop, name: str, text: str | None, *, unseen: bool = False) -> None:
    """Write or remove a file; `unseen`, in place and within the tick of the clock in which it was last written."""
    path = workshop.folder / name
    before = path.stat() if unseen and path.exists() else None
    if text is not None:
        workshop.write({name: text})
        if before:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif path.exists():
        path.unlink()


def be_calm(workshop: Workshop) -> None:
    """Nothing comes from outside, and there is nothing to tell."""
    workshop.write({"base-cluster.yaml": CALM, "resources/plain/plain.yaml": CONFIG_MAP.replace("{{{name}}}", "plain")})
    (workshop.folder / "resources/base-svc.yaml.j2").unlink()


def everything(folder: Path) -> dict[str, bytes]:
    """The output with its indexes; what belongs to a machine is left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in {"stamps", "parsed"})
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


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


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is rendered, as cluster/resource."""
    seen: list[str] = []
    real = Planner._resource

    def told(self, cluster, name, resource):  # type: ignore[no-untyped-def]
        seen.append(f"{cluster.name}/{name}")
        return real(self, cluster, name, resource)

    monkeypatch.setattr(Planner, "_resource", told)
    return seen


@pytest.fixture
def fleet(workshop: Workshop) -> Workshop:
    for file, texts in FILES.items():
        if not file.startswith("generated"):
            put(workshop, file, texts[0])
    assert workshop.run(KEY="one").code == 0
    return workshop


ALWAYS = ["east/key", "west/key"]
"""They take a value from outside the repository."""


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


def test_a_restored_output_is_looked_through_and_used(fleet: Workshop, rendered: list[str]) -> None:
    """Of another machine, or from a CI's cache: every file's times are new."""
    fleet.write({"resources/plain/plain.yaml": CONFIG_MAP.replace("{{{name}}}", "plain")})
    fleet.run(KEY="one")
    copy = fleet.folder / "copy"
    shutil.copytree(fleet.folder / "generated", copy)
    shutil.rmtree(fleet.folder / "generated")
    copy.rename(fleet.folder / "generated")
    rendered.clear()
    fleet.run(KEY="one")
    assert rendered == ALWAYS


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


def test_a_new_commit_changes_one_line_of_each_index(fleet: Workshop) -> None:
    before = (fleet.folder / "generated/.kit/east.json").read_text().splitlines()
    fleet.write({".git/HEAD": "1" * 40})
    fleet.run(KEY="one")
    after = (fleet.folder / "generated/.kit/east.json").read_text().splitlines()
    assert [line for line in after if line not in before] == [f' "commit": "{"1" * 40}",']
    assert len(after) == len(before)


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


@pytest.fixture
def calm(fleet: Workshop) -> Workshop:
    """A fleet of which all can be used again, and was noted to be."""
    be_calm(fleet)
    fleet.run(KEY="one")
    while any(note.key is None for note in read_notes(fleet.folder / "generated/.kit").clusters.values()):
        fleet.run(KEY="one")
    return fleet


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clusters whose index is read through."""
    seen: list[str] = []
    real = EarlierCluster.__init__

    def told(self, cluster, *rest, **named):  # type: ignore[no-untyped-def]
        seen.append(cluster.name)
        real(self, cluster, *rest, **named)

    monkeypatch.setattr(EarlierCluster, "__init__", told)
    return seen


def later(workshop: Workshop) -> None:
    """The notes as if they had been written a second after everything else: within one tick of the clock nothing is
    trusted."""
    stamps = workshop.folder / "generated/.kit/stamps"
    when = stamps.stat().st_mtime_ns + 10**9
    os.utime(stamps, ns=(when, when))


def test_where_little_changed_no_index_is_read_through(
    calm: Workshop, rendered: list[str], looked_into: list[str]
) -> None:
    later(calm)
    assert calm.run(KEY="one").last == "result=unchanged clusters=2 written=0 unchanged=10 removed=0"
    assert (rendered, looked_into) == ([], [])
    calm.write({"images/shop/web/master.yaml": "image: shop/web:2\n", ".git/HEAD": "1" * 40})
    later(calm)
    result = calm.run(KEY="one")
    assert result.last == "result=rendered clusters=2 written=2 unchanged=8 removed=0"
    assert (sorted(rendered), looked_into) == (["east/web", "west/web"], [])
    incremental = everything(calm.folder / "generated")
    shutil.rmtree(calm.folder / "generated")
    calm.run(KEY="one")
    assert everything(calm.folder / "generated") == incremental


def test_within_one_tick_of_the_clock_nothing_is_trusted(calm: Workshop, looked_into: list[str]) -> None:
    stamps = calm.folder / "generated/.kit/stamps"
    os.utime(stamps, ns=(0, (calm.folder / "generated/west/web.yaml").stat().st_ctime_ns))
    calm.run(KEY="one")
    assert "west" in looked_into


def _change(folder: Path) -> None:
    file = folder / "west/job.yaml"
    status = file.stat()
    file.write_bytes(file.read_bytes().replace(b"job", b"jab"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    "by_hand",
    [
        _change,
        lambda folder: (folder / "west/job.yaml").unlink(),
        lambda folder: (folder / "west/stray.yaml").write_text("a: b\n"),
        lambda folder: (folder / "west/link.yaml").symlink_to("job.yaml"),
        lambda folder: (folder / "west/below").mkdir() or (folder / "west/below/stray.yaml").write_text("a: b\n"),
        lambda folder: shutil.rmtree(folder / "west"),
        lambda folder: (folder / ".kit/west.json").unlink(),
        lambda folder: (folder / ".kit/west.json").write_text("{}"),
        lambda folder: (folder / ".kit/stamps").unlink(),
        lambda folder: (folder / ".kit/stamps").write_text('{"version":3,"clusters":{"west":[1,"",2]},"digests":{}}'),
        lambda folder: (folder / ".kit/stamps").write_text("[[[["),
    ],
)  # fmt: skip
@pytest.mark.parametrize("image", [1, 2])
def test_what_was_done_to_the_output_by_hand_is_undone(
    calm: Workshop, by_hand: Callable[[Path], object], image: int
) -> None:
    calm.write({"images/shop/web/master.yaml": f"image: shop/web:{image}\n"})
    folder = calm.folder / "generated"
    folder.rename(calm.folder / "kept")
    calm.run(KEY="one")
    expected = everything(folder)
    shutil.rmtree(folder)
    (calm.folder / "kept").rename(folder)
    later(calm)
    by_hand(folder)
    assert calm.run(KEY="one").code == 0
    assert everything(folder) == expected
    assert not (folder / "west/link.yaml").is_symlink()


def test_a_run_about_one_resource_leaves_the_others_trusted(calm: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    later(calm)
    calm.write({"images/shop/web/master.yaml": "image: shop/web:2\n"})
    calm.run(KEY="one", RESOURCE="web")
    later(calm)
    monkeypatch.setattr(EarlierCluster, "_intact", lambda *_: pytest.fail("a file is read"))
    assert calm.run(KEY="one").last == "result=unchanged clusters=2 written=0 unchanged=10 removed=0"


def test_a_key_that_stands_twice_in_an_image_file_is_told_each_time(calm: Workshop) -> None:
    calm.write({"images/shop/web/master.yaml": "image: shop/web:2\nimage: shop/web:3\n"})
    for _ in range(2):
        later(calm)
        assert "images/shop/web/master.yaml:2" in calm.run(KEY="one").log


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of the repository that are parsed."""
    seen: list[str] = []
    real = load_document

    def told(text, *, name, **others):  # type: ignore[no-untyped-def]
        seen.append(name)
        return real(text, name=name, **others)

    monkeypatch.setattr(reading, "load_document", told)
    return seen


def test_a_file_of_the_repository_is_parsed_again_when_it_changed(calm: Workshop, parsed: list[str]) -> None:
    calm.run(KEY="one")
    assert parsed == ["kit.yaml"]
    put(calm, "images/shop/web/master.yaml", "image: shop/web:2\n", unseen=True)
    result = calm.run(KEY="one")
    assert parsed == ["kit.yaml", "kit.yaml", "images/shop/web/master.yaml"]
    assert "image: 'shop/web:2'" in result.files["east/web.yaml"]


@pytest.mark.parametrize(
    "text",
    [
        "kind: ResourceConfig\nmore: {key: 'kit:v1:AAAA'}\n",
        "kind: ResourceConfig\nmore: &m {key: one}\nsame: *m\n",
        "kind: ResourceConfig\nday: 2020-01-01\n",
        "kind: ResourceConfig\nday: 1\nday: 2\n",
    ],
)
def test_secrets_and_what_json_cannot_hold_are_not_kept_beside_the_output(
    calm: Workshop, parsed: list[str], text: str
) -> None:
    calm.write({"base-var.yaml": text})
    codes = [calm.run(KIT_PLACEHOLDERS=placeholders).code for placeholders in ("false", "true", "false")]
    assert codes[1] == 0
    assert parsed.count("base-var.yaml") == 3
    assert b"AAAA" not in b"".join(path.read_bytes() for path in (calm.folder / "generated/.kit").iterdir())


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


@pytest.mark.parametrize(
    "by_hand",
    [
        lambda file: file.chmod(0o644),
        lambda file: file.write_bytes(file.read_bytes()[:-9]),
        lambda file: file.write_bytes(file.read_bytes().replace(b"shop/web:1", b"shop/web:9")),
        lambda file: file.write_bytes(b"\0" * 1000),
        lambda file: file.rename(file.with_name("other")) and file.symlink_to("other"),
        _pipe,
    ],
)
def test_parsed_files_that_are_damaged_or_from_a_clone_are_not_believed(
    calm: Workshop, parsed: list[str], by_hand: Callable[[Path], object]
) -> None:
    file = calm.folder / "generated/.kit/parsed"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    by_hand(file)
    assert calm.run(KEY="one").code == 0
    assert len(parsed) > 5
    parsed.clear()
    calm.run(KEY="one")
    assert parsed == ["kit.yaml"]


def test_a_pull_request_brings_no_parsed_files(calm: Workshop, parsed: list[str]) -> None:
    """With placeholders, the output may be anybody's."""
    calm.run(KIT_PLACEHOLDERS="true")
    assert len(parsed) > 5


def test_lines_of_another_meaning_are_never_taken(tmp_path: Path) -> None:
    """Written by a program that knows how: nothing fails, and what is no value is parsed anew."""
    writer = Remembered("base")
    writer.learn("0" * 32, {"a": [1, 1.0, True, None, "\u2028", float("inf")]})
    for odd in ({"a": "\ud800"}, {"a": object()}, [1], None, {"a": 10**5000}):
        writer.learn("1" * 32, odd)
    (tmp_path / "parsed").write_bytes(writer.text() or b"")
    (tmp_path / "parsed").chmod(0o600)
    again = Remembered.read(tmp_path, "base")
    assert again.text() is not None
    assert repr(again.value("0" * 32)) == repr({"a": [1, 1.0, True, None, "\u2028", float("inf")]})
    assert again.text() is None
    assert again.value("1" * 32) is MISSING
    assert Remembered.read(tmp_path, "other").value("0" * 32) is MISSING
    for body in (b"nothing", b"0 " + b"[" * 100_000, b"0 {", b"\n\n\n"):
        head = (tmp_path / "parsed").read_bytes().split(b" ")[:4]
        digest = hashlib.blake2b(body, digest_size=16).hexdigest().encode()
        (tmp_path / "parsed").write_bytes(b" ".join([*head, digest]) + b"\n" + body)
        assert Remembered.read(tmp_path, "base").value("0") is MISSING


def test_a_file_that_changes_while_it_is_read_has_no_digest(tmp_path: Path) -> None:
    digests = Digests(tmp_path)
    (tmp_path / "a").write_bytes(b"1")
    one = digests.key("x", ["a"])
    assert digests.key("x", ["a"]) == one
    digests.learn("a", b"2")
    assert digests.of("a") == "torn"
    again = Digests(tmp_path)
    assert again.key("x", ["a"]) == one
    assert again.key("y", ["a"]) != one
    assert again.of("b") == "absent"
    (tmp_path / "loop").symlink_to("loop")
    assert again.of("loop") == "absent"


def test_the_deployer_reads_the_index_whichever_run_wrote_it(fleet: Workshop) -> None:
    output = fleet.folder / "generated"
    for commit in ("1" * 40, "2" * 40):
        fleet.write({".git/HEAD": commit})
        fleet.run(KEY="a long secret")
        index = read_by_deployer(output, "east")
        assert index is not None
        assert (index.commit, index.partial, index.left_out) == (commit, False, ())
        assert index.secrets == {"key.yaml": ("/data/k",)}
    fleet.run(KIT_PLACEHOLDERS="true")
    with pytest.raises(InputError, match="placeholders"):
        read_by_deployer(output, "east")


@given(st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=5), max_size=2), max_size=5))
def test_lines_of_an_index_are_used_again_as_they_stand(entries: dict[str, list[str]]) -> None:
    head = head_of("c", commit=None, complete=True)
    body = {"files": {name: {"inputs": parts} for name, parts in entries.items()}, "secrets": {}}
    raw = index_text(head, body)
    assert read_index(raw) == {**head, **body}
    known = lines_of(raw, "files")
    assert all(json.loads(line) == entries_of(body, name) for name, line in known.items())
    spliced = {name: known.get(name) or facts for name, facts in body["files"].items()}
    assert index_text(head, {**body, "files": spliced}) == raw
    other = head_of("c", commit="1", complete=False, left_out=("b", "a"))
    assert with_head(raw, other) == index_text(other, body)


def entries_of(body: Mapping[str, Mapping[str, object]], name: str) -> object:
    """The entry of a name as the index spells it."""
    spelled = {json.dumps(key, ensure_ascii=False)[1:-1]: value for key, value in body["files"].items()}
    return spelled[name]
