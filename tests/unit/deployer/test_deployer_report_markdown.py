# SPDX-License-Identifier: MIT
"""report.md: read by people in merge requests and on pages of jobs."""

from __future__ import annotations

import re
from dataclasses import replace

from kit_core.secrets import Masker
from kit_deployer.report.markdown import LONGEST, markdown
from kit_deployer.report.same import changes, troubles
from kit_deployer.report.words import duration, fenced, inline, masked
from kit_deployer.result import Failure, RunResult
from tests.unit.deployer.fleets import LOG, hostile, large, shop


def test_the_result_comes_first_then_what_failed_then_the_clusters() -> None:
    text = markdown(shop("production-us"))
    lines = text.splitlines()
    assert lines[0] == "# kit-deployer: deploy failed on 1 of 5 clusters"
    assert lines[2].startswith("5 clusters · 5 created, 14 changed, 44 unchanged, 1 failed · 22.4 s · commit 4f2a91c")
    heads = [line for line in lines if line.startswith("## ")]
    assert heads == ["## What failed", "## Clusters", "## What changed", "## To know"]
    rows = [line for line in lines if line.startswith(("| p", "| s"))]
    assert rows[0] == "| production-us | 1 | 2 | 8 | 0 | 1 | 21.9 | **failed** |"


def test_one_cluster_is_no_clusters() -> None:
    run = shop("production-us")
    (failed,) = [cluster for cluster in run.clusters if cluster.exit_code]
    lines = markdown(replace(run, clusters=(failed,))).splitlines()
    assert lines[0] == "# kit-deployer: deploy failed on 1 of 1 cluster"
    assert lines[2].startswith("1 cluster · ")


def test_a_failure_has_its_cause_its_place_and_the_end_of_its_log() -> None:
    text = markdown(shop("production-us"))
    assert "- cause: CrashLoopBackOff" in text
    assert "- manifest: production-us/checkout/checkout-deployment.yaml:1" in text
    assert LOG.splitlines()[-1] in text
    assert "Back-off restarting failed container" in text


def test_the_same_failure_on_many_clusters_is_told_once() -> None:
    text = markdown(shop("production-us", "production-eu", "staging-eu"))
    assert text.count("fatal: no payment provider") == 1
    assert "The same on 3 clusters: production-eu, production-us, staging-eu." in text


def test_different_failures_are_not_thrown_together() -> None:
    run = shop("production-ap", "production-eu")
    first, *others = run.clusters
    other = replace(first.failures[0], message=first.failures[0].message.replace("exit code 1", "exit code 137"))
    run = replace(run, clusters=(replace(first, failures=(other,)), *others))
    assert len(troubles(run)) == 2


def test_the_same_change_in_many_namespaces_is_shown_once_with_its_clusters() -> None:
    run = shop()
    found = changes(run)
    assert [(change.title, len(change.clusters)) for change in found] == [
        ("ConfigMap shop-settings", 5),
        ("Deployment cart", 5),
        ("Deployment checkout", 5),
        ("Job catalog-migrate-5f2c1", 5),
    ]
    text = markdown(run)
    assert text.count("+        image: registry.example.com/shop/cart:master-42") == 1
    assert "changed Deployment cart: everywhere" in text
    one = run.clusters[0].objects[1]
    other = replace(one, diff=one.diff.replace("'40'", "'41'"))
    clusters = (replace(run.clusters[0], objects=(run.clusters[0].objects[0], other)), *run.clusters[1:])
    assert len([change for change in changes(replace(run, clusters=clusters)) if change.title.startswith("Conf")]) == 2


def test_a_dry_run_and_a_run_that_never_began() -> None:
    assert "## What would change" in markdown(replace(shop(), dry_run=True))
    never = RunResult(
        clusters=(), dry_run=True, started="", seconds=0, error=Failure(message="a.yaml:3: no", exit_code=2)
    )
    text = markdown(never)
    assert text.startswith("# kit-deployer: dry run failed\n")
    assert "**a.yaml:3: no**" in text


def test_what_does_not_fit_is_left_out_from_the_end_and_said() -> None:
    text = markdown(large(400, 30, same=False))
    assert len(text) <= LONGEST
    assert "do not fit here" in text
    assert "# kit-deployer: deploy failed on 20 of 400 clusters" in text
    assert "region-00-customer-0000" in text


def test_foreign_text_is_only_text() -> None:
    text = markdown(hostile())
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"(?<!\\)<[/\w!]+", outside)) == {"<details", "</details", "<summary", "</summary"}
    assert not re.search(r"(?<!\\)\]\(java", re.sub("<summary>.*</summary>", "", outside))
    for summary in re.findall(r"<summary>(.*)</summary>", outside):
        assert not set("<>\"'") & set(summary)
    assert "@everyone" not in outside
    assert not set("\x00\x07\x1b\u202e\ud800") & set(text)
    assert inline("a|b\n*c* @team") == "a\\|b \\*c\\* @\u200bteam"
    assert fenced("a\n````\nb", "diff") == "`````diff\na\n````\nb\n`````"


def test_secrets_are_masked_before_their_characters_are_escaped() -> None:
    masker = Masker()
    masker.add("p&ss_w<rd")
    failure = Failure(message="x: p&ss_w<rd was refused", logs="p&ss_w<rd", events=("p&ss_w<rd",))
    run = RunResult(clusters=(), dry_run=False, started="", seconds=0, error=failure)
    assert masked(run, masker).error == Failure(message="x: *** was refused", logs="***", events=("***",))
    assert "ss" not in markdown(masked(run, masker)).replace("kit-deployer", "").replace("passed", "")


def test_kit_s_own_words_are_not_taken_for_secrets() -> None:
    masker = Masker()
    masker.add("Deployment")
    masker.add("changed")
    run = masked(shop("production-us"), masker)
    assert changes(run)[0].did == "changed"
    assert run.clusters[0].objects[-3].key.kind == "Deployment"


def test_durations_as_people_say_them() -> None:
    assert [duration(value) for value in (0.04, 59.9, 60, 250.2, 3720)] == [
        "0.0 s", "59.9 s", "1 min 0 s", "4 min 10 s", "1 h 2 min",
    ]  # fmt: skip
