# SPDX-License-Identifier: MIT
"""What is shown of changes on many clusters: KIT_DIFF_FILE for a pull request, and the end of the log."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from kit_core.ci import NONE
from kit_core.console import Console
from kit_core.errors import WorkError
from kit_core.secrets import Masker
from kit_deployer.objects import Key
from kit_deployer.report import write_comment
from kit_deployer.report.comment import MARKER, comment, limit_of
from kit_deployer.report.shown import show_changes, show_remarks
from kit_deployer.report.words import inline
from kit_deployer.result import ClusterResult, Failure, ObjectResult, RunResult
from tests.unit.deployer.fleets import hostile, large, shop

DIFF = """\
--- live: ConfigMap shop/settings
+++ result: ConfigMap shop/settings
@@ -{line},3 +{line},3 @@ data
 data:
-  colour: red
+  colour: blue"""


def cluster(name: str, *, line: int = 4, **facts: object) -> ClusterResult:
    """A cluster on which one setting changes; `line` is where in the object."""
    item = ObjectResult(key=Key("", "ConfigMap", "shop", "settings"), did="changed", why="the manifest changed",
                        diff=DIFF.format(line=line))  # fmt: skip
    return ClusterResult(name=name, server="https://x", namespace="shop", objects=(replace(item, **facts),))  # type: ignore[arg-type]


def dry(*clusters: ClusterResult, **facts: object) -> RunResult:
    return RunResult(clusters=clusters, dry_run=True, started="", seconds=1.0, **facts)  # type: ignore[arg-type]


FLEET = dry(*(cluster(f"shop-{number:02}", line=number) for number in range(50)))


def log(result: RunResult, *, diff: bool = True, log_format: str = "text") -> str:
    stream = io.StringIO()
    console = Console(
        stderr=stream, stdout=io.StringIO(), env={}, provider=NONE, masker=Masker(), log_format=log_format
    )
    show_changes(result, console, diff=diff)
    return stream.getvalue()


def test_the_same_change_on_fifty_clusters_is_shown_once_with_their_names() -> None:
    """Also where it stands in another line of the object."""
    text = log(FLEET)
    assert text.count("colour: blue") == 1
    assert "change ConfigMap shop/settings (the manifest changed), the same on 50 clusters: shop-00, shop-01" in text
    assert "and 40 more" in text
    assert comment(FLEET).count("colour: blue") == 1
    assert "on all 50 clusters" in comment(FLEET)
    (fact,) = {tuple(event["clusters"]) for event in map(json.loads, log(FLEET, log_format="json").splitlines())
               if "clusters" in event}  # fmt: skip
    assert len(fact) == 50, "machines are told every name"


def test_one_cluster_keeps_its_name_in_front() -> None:
    assert log(dry(cluster("east")), diff=False).splitlines() == [
        "[east] change ConfigMap shop/settings (the manifest changed)"
    ]


def test_what_is_to_be_known_of_many_clusters_is_said_once() -> None:
    stream = io.StringIO()
    console = Console(stderr=stream, stdout=io.StringIO(), env={}, provider=NONE, masker=Masker())
    why = "DRY_RUN=read asks the servers for nothing but what is there"
    show_remarks(
        dry(cluster("a", unchecked=why), cluster("b", unchecked=why), cluster("c", unchecked="other")), console
    )
    assert stream.getvalue().replace("warning: ", "").splitlines() == [
        f"on 2 clusters (a, b): ConfigMap shop/settings: not checked by the server: {why}",
        "[c] ConfigMap shop/settings: not checked by the server: other",
    ]


def test_a_real_run_has_told_what_it_did_and_shows_what_that_changed() -> None:
    done = replace(FLEET, dry_run=False)
    assert log(done, diff=False) == ""
    assert log(done).count("colour: blue") == 1
    assert "changed ConfigMap shop/settings" in log(done)


def test_drift_is_shown_too() -> None:
    drifted = dry(cluster("east", did="drifted", why="differs from what was applied"))
    assert "drifted ConfigMap shop/settings" in log(drifted)
    assert log(drifted, diff=False) == "", "the remarks tell it"
    assert "+  colour: blue" in comment(drifted)


def test_the_comment_begins_with_the_numbers() -> None:
    other = cluster("zone", unchecked="namespace shop is only created by the run", did="created")
    lines = comment(dry(cluster("east"), cluster("west"), other)).splitlines()
    assert lines[0] == MARKER
    assert lines[1] == "### kit-deployer: would change something on 3 of 3 clusters"
    assert "| clusters | created | changed | deleted | drifted | not checked | failed |" in lines
    assert "| east, west | 0 | 1 | 0 | 0 | 0 | 0 |" in lines
    assert "| zone | 1 | 0 | 0 | 0 | 1 | 0 |" in lines
    assert (
        "**Not checked by the server** on zone: ConfigMap shop/settings (namespace shop is only created by the run)"
    ) in lines
    assert (
        comment(dry(cluster("a", did="unchanged", diff=""))).splitlines()[1] == "### kit-deployer: nothing would change"
    )
    assert "Read only: the servers were not asked" in comment(dry(cluster("a"), read_only=True))


@pytest.mark.parametrize("limit", [2_000, 20_000, 32_768])
def test_a_comment_fits_and_says_what_is_missing(limit: int) -> None:
    text = comment(large(300, 40), limit=limit)
    assert len(text.encode()) <= limit
    assert "**Cut to fit a comment:**" in text
    assert re.search(r"\d+ (differences|whole parts)", text)
    assert text.count("<details>") == text.count("</details>")
    assert text.count("```diff") * 2 == text.count("```")


def test_what_fits_is_whole() -> None:
    assert "Cut to fit" not in comment(FLEET)


def test_foreign_text_does_nothing_in_a_comment() -> None:
    text = comment(hostile())
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"(?<!\\)<[/\w!]+", outside)) <= {"<!", "<details", "</details", "<summary", "</summary"}
    assert "@everyone" not in outside
    assert not [line for line in outside.splitlines() if line.startswith("/")], "a line is a command for some forges"
    assert inline("fixes #12, !3, GH-4, acme/shop#5") == (
        "fixes \\#\u200b12, !\u200b3, GH-\u200b4, acme/shop\\#\u200b5"
    )


def test_each_forge_has_its_limit() -> None:
    assert limit_of("bitbucket") < limit_of("github") == limit_of("none") == 65_536 < limit_of("gitlab")


def test_the_file_is_written_whole_and_without_secrets(tmp_path: Path) -> None:
    masker = Masker()
    masker.add("canary-in-a-note")
    failure = Failure(message="east: canary-in-a-note was refused")
    result = dry(replace(cluster("east"), notes=("canary-in-a-note",), failures=(failure,)))
    path = tmp_path / "made/diff.md"
    write_comment(result, path, masker, provider="github")
    text = path.read_text()
    assert "canary" not in text
    assert "**east: \\*\\*\\* was refused**" in text
    assert [file.name for file in path.parent.iterdir()] == ["diff.md"]
    path.unlink()
    path.mkdir()
    with pytest.raises(WorkError, match="KIT_DIFF_FILE"):
        write_comment(result, path, masker, provider="github")


def test_a_run_that_did_not_begin_says_why() -> None:
    error = Failure(message="a.yaml:3: wrong", exit_code=2)
    text = comment(dry(error=error))
    assert "a.yaml:3: wrong" in text
    assert "failed" in text.splitlines()[1]


def test_a_shop_is_readable() -> None:
    text = comment(shop("production-us"))
    assert text.index("CrashLoop") < text.index("| clusters |") < text.index("<details>")
