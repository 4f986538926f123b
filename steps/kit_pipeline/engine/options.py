# SPDX-License-Identifier: MIT
"""The keys of a service that the engine gets as they are, in the engine's own terms."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kit_core.errors import InputError

Options = Mapping[str, str | tuple[str, ...]]
"""What a services file says: one value, or several."""

_AS_THEY_ARE: Final = {
    "dns": "dns", "dns_search": "dns_search", "extra_hosts": "extra_hosts", "cap_add": "cap_add",
    "cap_drop": "cap_drop", "cpuset": "cpuset_cpus", "mem_limit": "mem_limit", "security_opt": "security_opt",
}  # fmt: skip
_YES: Final = frozenset({"true", "yes", "on", "1"})


def host_options(options: Options) -> dict[str, Any]:
    """Arguments of the client's `create_host_config`. Raises `InputError` for what is no number where one is wanted."""
    found: dict[str, Any] = {
        ours: list(value) if isinstance(value := options[key], tuple) else value
        for key, ours in _AS_THEY_ARE.items()
        if key in options
    }
    for entry in found.get("extra_hosts", []):
        if ":" not in entry:
            raise InputError(f"`extra_hosts` holds {entry}", why="an entry is a name, a colon and an address")
    if "cpu_shares" in options:
        found["cpu_shares"] = _number("cpu_shares", str(options["cpu_shares"]))
    if "read_only" in options:
        found["read_only"] = str(options["read_only"]).lower() in _YES
    policy, _, count = str(options.get("restart", "no")).partition(":")
    if policy not in {"no", "false"}:
        found["restart_policy"] = {"Name": policy, "MaximumRetryCount": _number("restart", count or "0")}
    return found


def ports(options: Options) -> list[tuple[str, str]]:
    """The ports of `expose`, with their protocols: `80`, `53/udp`, `8000-8010`. Raises `InputError`."""
    return [port for text in options.get("expose", ()) for port in _ports(text)]


def _ports(text: str) -> Iterator[tuple[str, str]]:
    numbers, _, protocol = text.partition("/")
    first, _, last = numbers.partition("-")
    begin, end = _number("expose", first), _number("expose", last or first)
    yield from ((str(number), protocol or "tcp") for number in range(begin, end + 1))


def _number(key: str, text: str) -> int:
    if not text.isdigit():
        raise InputError(f"`{key}` is {text}", why="a whole number is wanted")
    return int(text)
