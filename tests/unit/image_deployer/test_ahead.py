# SPDX-License-Identifier: MIT
"""Work that begins before its result is asked for."""

from __future__ import annotations

import threading

import pytest

from kit_image_deployer.ahead import Ahead


def test_it_has_begun_when_the_result_is_asked_for() -> None:
    begun = threading.Event()

    def seven() -> int:
        begun.set()
        return 7

    work = Ahead(seven)
    assert begun.wait(10)
    assert work.result() == 7
    assert work.result() == 7


def test_what_it_raises_is_raised_where_the_result_is_asked_for() -> None:
    def fail() -> None:
        raise ValueError("no")

    work = Ahead(fail)
    with pytest.raises(ValueError, match="no"):
        work.result()


def test_a_wait_has_an_end() -> None:
    ended = threading.Event()
    work = Ahead(lambda: ended.wait(10))
    with pytest.raises(TimeoutError):
        work.result(within=0.01)
    ended.set()
    assert work.result(within=10) is True
