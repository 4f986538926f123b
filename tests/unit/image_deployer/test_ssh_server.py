# SPDX-License-Identifier: MIT
"""An ssh server's conversations, without one: how long all that leads to one may take together."""

from __future__ import annotations

from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest

from kit_image_deployer.faults import Fault
from kit_image_deployer.git.hostkeys import KnownHosts
from kit_image_deployer.git.place import place_of
from kit_image_deployer.git.ssh import SshAccess, SshServer


def test_connecting_logging_in_and_the_channel_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would otherwise have all of it, and a slow server three times what the deadline left."""
    now = 100.0
    allowed: list[float] = []

    def spend(seconds: float) -> None:
        nonlocal now
        allowed.append(seconds)
        now += 3

    def connected(*_arguments: object, seconds: float, **_named: object) -> object:
        spend(seconds)
        return SimpleNamespace()

    class Loop:
        def run(self, work: Coroutine[Any, Any, Any], seconds: float) -> Any:
            work.close()
            spend(seconds)
            if len(allowed) == 3:
                raise TimeoutError
            return SimpleNamespace(open_session=lambda **_named: work, is_closed=lambda: False)

    monkeypatch.setattr("kit_image_deployer.git.ssh.time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr("kit_image_deployer.git.ssh.connected", connected)
    monkeypatch.setattr("kit_image_deployer.git.ssh.Loop", Loop)
    access = SshAccess(asyncssh.generate_private_key("ssh-ed25519"), KnownHosts(""), {})
    with pytest.raises(Fault, match="did not answer in time"):
        SshServer(place_of("git@host:x"), None, access).open("git-upload-pack", version=2, seconds=10)
    assert allowed[:3] == [10, 7, 4]
