# SPDX-License-Identifier: MIT
"""Starts the real parts that the demo and the tests need, in containers, from nothing but Docker, and stops them again."""
