# SPDX-License-Identifier: MIT
"""KIT_SHARD: parts of a fleet that together are the whole of it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_deploymentizer.inputs.limits import Shard, shard_of
from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop

NAMES = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=40)


@given(NAMES, st.integers(1, 9), st.randoms())
def test_every_cluster_is_in_exactly_one_part_whatever_order_they_are_found_in(
    names: list[str], count: int, order: random.Random
) -> None:
    shuffled = order.sample(names, len(names))
    parts = [Shard(index, count).of(shuffled, str) for index in range(1, count + 1)]
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert parts == [Shard(index, count).of(names, str) for index in range(1, count + 1)]
    sizes = {len(part) for part in parts}
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 50))
def test_counting_from_0_and_from_1_name_the_same_parts(count: int) -> None:
    from_1 = {shard_of(f"{index}/{count}") for index in range(1, count + 1)}
    from_0 = {shard_of(f"{index}/{count}") for index in range(count)}
    assert from_0 == from_1
    assert len(from_1) == count


@pytest.mark.parametrize("text", ["", "2", "6/5", "1/0", "0/0", "a/b", "-1/5", "1/5/2", "1.0/5", "²/5", "1/9999999999"])
def test_what_is_no_part_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(InputError, match="Write 2/5 for the second of five parts"):
        shard_of(text)


def fleet(workshop: Workshop, *names: str, kind: str = "test") -> None:
    workshop.app(CONFIG_MAP)
    for name in names:
        workshop.cluster(name, metadata=f"type: {kind}")


def test_the_parts_of_a_fleet_make_what_one_run_makes(workshop: Workshop) -> None:
    fleet(workshop, "a", "b", "c", "d", "e")
    whole = workshop.run().files
    indexes = {name.split("/")[0]: workshop.index(name.split("/")[0]) for name in whole}
    for name in whole:
        (workshop.folder / "generated" / name).unlink()
    logs = [workshop.run(KIT_SHARD=f"{index}/3").last for index in range(3)]
    assert workshop.output() == whole
    assert {name: workshop.index(name) for name in indexes} == indexes
    assert sorted(log.count("clusters=2") + log.count("clusters=3") for log in logs) == [1, 1, 1]


def test_a_part_touches_only_its_own(workshop: Workshop) -> None:
    fleet(workshop, "a", "b")  # beside east and west
    workshop.run()
    workshop.app(CONFIG_MAP.replace("ConfigMap", "Secret"))
    result = workshop.run("--shard", "2/2")
    changed = {name.split("/")[0] for name, text in result.files.items() if "Secret" in text}
    assert changed == {"b", "west"}
    assert "result=rendered clusters=2 written=2" in result.last


def test_what_gone_clusters_left_goes_with_the_first_part(workshop: Workshop) -> None:
    fleet(workshop, "a", "b")
    workshop.run()
    (workshop.folder / "clusters/b/cluster.yaml").unlink()
    assert "b/app.yaml" in workshop.run(KIT_SHARD="2/2").files
    assert "b/app.yaml" in workshop.run(KIT_SHARD="1/2", CLEAN="false").files
    assert "b/app.yaml" in workshop.run(KIT_SHARD="1/2", CLUSTER_TYPE="test").files
    assert "b/app.yaml" in workshop.run(KIT_SHARD="1/2", RESOURCE="app").files
    result = workshop.run(KIT_SHARD="1/2")
    assert sorted(result.files) == ["a/app.yaml", "east/app.yaml", "west/app.yaml"]
    assert not (workshop.folder / "generated/.kit/b.json").exists()


def test_what_a_disabled_cluster_left_goes_with_its_own_part(workshop: Workshop) -> None:
    fleet(workshop, "a", "b")
    workshop.run()
    workshop.cluster("b", metadata="type: test, disable: true")
    assert "b/app.yaml" in workshop.run(KIT_SHARD="1/2").files
    assert "b/app.yaml" not in workshop.run(KIT_SHARD="2/2").files


def test_a_part_may_be_empty(workshop: Workshop) -> None:
    fleet(workshop)
    result = workshop.run(KIT_SHARD="3/3")
    assert (result.code, result.files) == (0, {})
    assert "warning" not in result.log


def test_parts_of_the_clusters_of_a_type(workshop: Workshop) -> None:
    fleet(workshop, "a", "b", "c", kind="prod")  # beside west; east is of type test
    parts = [workshop.run(KIT_SHARD=f"{part}/2", CLUSTER_TYPE="prod").last for part in (1, 2)]
    assert all("clusters=2" in last for last in parts)
    assert {name.split("/")[0] for name in workshop.output()} == {"a", "b", "c", "west"}
    assert "there is no cluster of type tset in part 1/2" in workshop.run(KIT_SHARD="1/2", CLUSTER_TYPE="tset").log


@pytest.mark.parametrize(
    ("arguments", "env", "told"),
    [
        ((), {"KIT_SHARD": "3/2"}, "KIT_SHARD=3/2 is no part of a fleet: there is no such part."),
        ((), {"KIT_SHARD": "1/2", "CLUSTER_NAME": "east"}, "CLUSTER_NAME and KIT_SHARD exclude each other"),
        (("diff", "--against", "."), {"KIT_SHARD": "1/2"}, "diff looks at a whole fleet"),
    ],
)
def test_what_does_not_go_with_a_part_is_refused(
    workshop: Workshop, arguments: tuple[str, ...], env: dict[str, str], told: str
) -> None:
    fleet(workshop)
    result = workshop.run(*arguments, **env)
    assert (result.code, result.files) == (2, {})
    assert told in result.log
