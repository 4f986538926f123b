# SPDX-License-Identifier: MIT
"""Processes, measured from outside: wall time and processor time, several commands in turns."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_STEPS = Path(__file__).parents[1] / "steps"


@dataclass(frozen=True)
class Run:
    """One run of a process and its children, in seconds; `output` is what it printed."""

    wall: float
    cpu: float
    output: str


def run_process(arguments: Sequence[str], env: Mapping[str, str], *, limit: float = 300) -> Run:
    """Run it to its end. Raises `RuntimeError` with its last words where it fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=limit, check=False
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, done.stdout)


def in_turns(sides: Mapping[str, Callable[[int], Run]], rounds: int, *, warm_up: int = 1) -> dict[str, list[Run]]:
    """Run each side once a round (the round's number is its argument); the first rounds do not count."""
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for number in range(rounds + warm_up):
        for name, side in sides.items():
            run = side(number)
            if number >= warm_up:
                runs[name].append(run)
    return runs


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def python_env(folder: str, **others: str) -> dict[str, str]:
    """An environment for a Python process as an image starts it: with compiled modules (kept in `folder`), those of
    the steps beside this very bench.
    """
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(_STEPS), "PYTHONPYCACHEPREFIX": folder, **others}
