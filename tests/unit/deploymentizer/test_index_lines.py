# SPDX-License-Identifier: MIT
"""The index of a cluster, whichever run wrote it, and its lines, used again."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError
from kit_deployer.inputs.index import read_index as read_by_deployer
from kit_deploymentizer.output.index import head_of, index_text, lines_of, read_index, with_head
from tests.unit.deploymentizer.workshop import Workshop


def test_a_new_commit_changes_one_line_of_each_index(fleet: Workshop) -> None:
    before = (fleet.folder / "generated/.kit/east.json").read_text().splitlines()
    fleet.write({".git/HEAD": "1" * 40})
    fleet.run(KEY="one")
    after = (fleet.folder / "generated/.kit/east.json").read_text().splitlines()
    assert [line for line in after if line not in before] == [f' "commit": "{"1" * 40}",']
    assert len(after) == len(before)


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
