# SPDX-License-Identifier: MIT
"""`python -m bench.peers [FOLDER]`: builds the image of the programs and prints its reference, or copies them."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.peers import PEERS, programs
from testbed.errors import TestbedError
from testbed.images import ensure_image


def main(arguments: list[str]) -> int:
    """With a folder, the programs are put into it. 2: they could not be built."""
    try:
        if arguments:
            folder = Path(arguments[0])
            folder.mkdir(parents=True, exist_ok=True)
            found = programs(folder, _say)
            print(found.helm, found.kustomize, sep="\n")
        else:
            print(ensure_image(PEERS, _say))
    except TestbedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
