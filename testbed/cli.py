# SPDX-License-Identifier: MIT
"""The command line for people: `python -m testbed engine|base|image|up|status|logs|down`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from testbed.errors import TestbedError


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; what a script wants to read is on stdout, everything else on stderr."""
    parser = argparse.ArgumentParser(prog="python -m testbed", description="Real parts for kit's tests and demo, in containers.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("engine", help="make sure that a Docker engine answers; prints its version")
    commands.add_parser("base", help="make sure that a base image is here; prints the reference for --build-arg BASE=")
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "engine":
            from testbed.docker import ensure_engine

            print(ensure_engine(_progress))
        if arguments.command == "base":
            from testbed.baseimage import ensure_base

            print(ensure_base(_progress))
    except TestbedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
