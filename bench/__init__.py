# SPDX-License-Identifier: MIT
"""Measurements, side by side with what people would use instead: `make bench`, or `python -m bench NAME…`.

Each bench is a module with a `TITLE` and a `run(stage)` that returns a `Section`, and one line in `BENCHES`. It sets
itself up on the testbed (`stage`), measures (`measure`: processes, in turns, so that a machine's bad minute meets both
sides), and its section of RESULTS.md is replaced, with the machine that it ran on (`machine`); other sections stay.
What must be reached is a `Goal`: it stands in the section, and the exit code is 1 where one was missed.
"""

from typing import Final

BENCHES: Final = {
    "update": "bench.image_deployer.update",
    "memory": "bench.image_deployer.memory",
    "writers": "bench.image_deployer.writers",
    "render": "bench.deploymentizer.render",
    "growth": "bench.deploymentizer.growth",
    "change": "bench.deploymentizer.change",
    "apply": "bench.deployer.apply",
    "cause": "bench.deployer.cause",
    "clusters": "bench.deployer.clusters",
    "step": "bench.pipeline.overhead",
    "validate": "bench.pipeline.validate",
}
"""From a bench's name to its module, in the order in which they run."""
