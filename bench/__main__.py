# SPDX-License-Identifier: MIT
"""`python -m bench [NAME…]`: runs benches and writes their sections of bench/RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from bench import BENCHES
from bench.machine import machine
from bench.results import Section, write_section
from bench.stage import Stage
from testbed.bed import end_on_sigterm
from testbed.errors import TestbedError

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """Run them one after the other. 1: a goal was missed; 2: the stage could not be set up; 130: interrupted."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measurements on real parts.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}; all without one")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file to write into")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    end_on_sigterm()
    missed = []
    try:
        with Stage(_say) as stage:
            for name in arguments.names or BENCHES:
                bench = importlib.import_module(BENCHES[name])
                _say(f"{name}: {bench.TITLE}")
                host = machine()  # its load is that of the moment before
                section: Section = bench.run(stage)
                write_section(arguments.results, bench.TITLE, section, host)
                _say("\n".join(["", *section.lines, *(str(goal) for goal in section.goals), ""]))
                missed += [f"{name}: {goal}" for goal in section.goals if not goal.reached]
    except TestbedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
