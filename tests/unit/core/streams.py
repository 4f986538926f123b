# SPDX-License-Identifier: MIT
"""A console whose streams a test reads."""

import io
import time
from collections.abc import Callable
from typing import Any

from kit_core.ci import detect
from kit_core.console import Console
from kit_core.secrets import Masker


def console(env: dict[str, str] | None = None, **options: Any) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    env = env or {}
    masker = Masker()
    masker.add("hunter2-canary")
    return Console(stderr=err, stdout=out, env=env, provider=detect(env), masker=masker, **options), out, err


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)
