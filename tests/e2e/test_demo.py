# SPDX-License-Identifier: MIT
"""`make demo` shows what it says: the story is played as there, on the testbed of the tests."""

from __future__ import annotations

import io
from pathlib import Path

from demo.__main__ import play
from demo.narrator import Narrator
from demo.stage import set_up
from images.build import build_all
from testbed.bed import Testbed
from tests.e2e.shop import places


def test_the_story_of_the_demo_holds(bed: Testbed, tmp_path: Path) -> None:
    images = build_all(lambda _: None)
    stage = set_up(bed, tmp_path, images=images, progress=lambda _: None, places=places())
    stream = io.StringIO()
    tell = Narrator(stream, {})
    try:
        play(tell, stage.watched_by(tell))
    finally:
        stage.strike()
        for place in stage.places:
            stage.cluster(place).delete_namespace(place.namespace)
    told = stream.getvalue()
    assert tell.checks == told.count("\nok: ")
    assert tell.checks >= 15
    assert "WAREHOUSE_URL is not set" in told
    for secret in (stage.remote.password, stage.pipeline.secrets["PAYMENT_KEY"]):
        assert secret not in told
