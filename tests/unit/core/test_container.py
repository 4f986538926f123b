# SPDX-License-Identifier: MIT
"""What the entrypoint decides before anything else runs."""

import pytest

from kit_core.container import home, is_ours

COMMANDS = ("deploy", "status")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-x"], ["deploy"], ["status", "--exit-code"], ["--", "ls"]])
def test_options_commands_and_nothing_are_ours(arguments: list[str]) -> None:
    assert is_ours(arguments, COMMANDS)


@pytest.mark.parametrize("arguments", [["/bin/sh", "-c", "x"], ["tail", "-f", "/dev/null"], ["cat"], ["Deploy"], [""]])
def test_anything_else_is_a_foreign_program(arguments: list[str]) -> None:
    assert not is_ours(arguments, COMMANDS)


@pytest.mark.parametrize(
    ("env", "writable", "mounts", "expected"),
    [
        ({}, False, [], "/tmp"),
        ({"HOME": ""}, True, [], "/tmp"),
        ({"HOME": "/"}, True, [], "/tmp"),
        ({"HOME": "/home/somebody"}, True, [], "/home/somebody"),
        ({"HOME": "/home/somebody"}, False, [], "/tmp"),
        ({"HOME": "/home/somebody"}, False, ["/home/somebody/.docker"], "/home/somebody"),
        ({"HOME": "/home/somebody"}, False, ["/home/somebody-else"], "/tmp"),
        ({"HOME": "/github/home"}, False, ["/github/home"], "/github/home"),
    ],
)
def test_home_stays_where_it_can_be_used(env: dict[str, str], writable: bool, mounts: list[str], expected: str) -> None:
    assert home(env, lambda _: writable, mounts) == expected
