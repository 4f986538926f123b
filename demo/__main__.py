# SPDX-License-Identifier: MIT
"""`python -m demo`: exit code 0 only if every step showed what it should. KEEP=1 leaves everything up."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from demo import frame, scenes
from demo.checks import NotAsPromised
from demo.narrator import Narrator
from demo.pipeline import STEPS
from demo.process import CommandFailed
from demo.stage import Stage, set_up
from images.build import build_all
from testbed.baseimage import ensure_base
from testbed.bed import Testbed, end_on_sigterm
from testbed.errors import TestbedError


def main() -> int:
    """Play it. 1: something was not as it should be; 2: the stage could not be set up; 130: interrupted."""
    end_on_sigterm()
    tell = Narrator(sys.stdout, os.environ)
    keep = os.environ.get("KEEP", "").lower() in {"1", "true", "yes", "on"}
    work = Path(tempfile.mkdtemp(prefix="kit-demo-"))
    bed: Testbed | None = None
    stage: Stage | None = None
    left_up = False
    try:
        frame.prologue(tell)
        tell.scene("Setting the stage")
        began = time.monotonic()
        ensure_base(tell.progress)
        with ThreadPoolExecutor(max_workers=1) as pool:
            building = pool.submit(build_all, tell.progress, wanted=STEPS)
            bed = Testbed.start(2, progress=tell.progress, detach=keep)
            images = building.result()
        stage = set_up(bed, work, images=images, progress=tell.progress).watched_by(tell)
        tell.check("two clusters, a git server, a registry, three step images", time.monotonic() - began)
        play(tell, stage)
        left_up = keep
    except (NotAsPromised, CommandFailed) as error:
        tell.failure(f"This is not what should have happened: {error}")
        left_up = keep and stage is not None
        return 1
    except TestbedError as error:
        tell.failure(f"The stage could not be set up: {error}")
        return 2
    except KeyboardInterrupt:
        tell.failure("Interrupted.")
        return 130
    finally:
        if stage is not None and left_up:
            frame.left_up(tell, stage)
        else:
            _take_down(tell, bed, stage, work)
    return 0


def play(tell: Narrator, stage: Stage) -> None:
    """The scenes, in order."""
    tell.blank()
    frame.opening(tell, stage)
    tell.scene("The shop as it is")
    scenes.first_light(tell, stage)
    tell.scene("A release: the service's pipeline")
    good = scenes.release(tell, stage)
    tell.scene("The release reaches the clusters: the deployments repository's pipeline")
    scenes.deploy(tell, stage, good)
    tell.scene("A release that breaks")
    bad = scenes.breakage(tell, stage)
    scenes.still_serving(tell, stage, good)
    tell.scene("The way back")
    scenes.way_back(tell, stage, good, bad)
    tell.scene("What you saw")
    frame.epilogue(tell)


def _take_down(tell: Narrator, bed: Testbed | None, stage: Stage | None, work: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: a second Ctrl-C leaves nothing
    tell.progress("taking everything down")
    if stage is not None:
        stage.strike()
    if bed is not None:
        bed.down()
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
