# SPDX-License-Identifier: MIT
"""Peak memory of one update, in repositories of three sizes."""

from __future__ import annotations

import sys

from bench.image_deployer import step
from bench.image_deployer.counter import Counter
from bench.image_deployer.repository import repository_of, service
from bench.measure import run_process
from bench.results import Goal, Section, table
from bench.stage import Stage

TITLE = "kit-image-deployer: memory"
SIZES = (2_000, 20_000, 100_000)
LIMIT = 80.0
_ROUNDS = 3

# The kernel keeps the peak of a process until it ends: the process itself tells it last.
_TELLING = """
import os, re
def tell(code, end=os._exit):
    print("peak=" + re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1], flush=True)
    end(code)
os._exit = tell
from kit_image_deployer.cli import main
main()
"""


def run(stage: Stage) -> Section:
    """The peak in each, and what was received."""
    bed, cache = stage.bed(), stage.folder()
    peaks, rows = {}, []
    for files in SIZES:
        stage.say(f"making {files:,} files")
        with repository_of(bed, "memory", files=files, commits=1_000) as repository:
            found = []
            with Counter(repository.url_outside) as counter:
                step.update(repository, cache, service(_ROUNDS), 900_000)  # compiles what is imported
                for number in range(_ROUNDS):
                    env = step.settings(repository, cache, service(number), 900_000, url=counter.url)
                    output = run_process([sys.executable, "-c", _TELLING], env).output
                    if "result=updated" not in output:
                        raise RuntimeError(f"nothing was committed:\n{output}")
                    found.append(int(output.rpartition("peak=")[2]) / 1024)
            peaks[files] = max(found)
            rows.append((f"{files:,}", f"{peaks[files]:.1f} MiB", f"{counter.received // _ROUNDS:,}"))
    return Section(
        [
            f"VmHWM of the whole process, the highest of {_ROUNDS} updates; 1,000 commits; smart http with filters.",
            "",
            *table(["files", "peak", "bytes received"], rows),
        ],
        [
            Goal("highest peak", max(peaks.values()), LIMIT, "MiB"),
            Goal("growth from the smallest repository to the largest", peaks[SIZES[-1]] - peaks[SIZES[0]], 5, "MiB"),
        ],
    )
