# SPDX-License-Identifier: MIT
"""What can go wrong here, told as a sentence."""

from __future__ import annotations


class TestbedError(Exception):
    """A part could not be had; the text says which, why and what to do next."""

    __test__ = False
