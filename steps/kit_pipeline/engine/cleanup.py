# SPDX-License-Identifier: MIT
"""Taking away what runs have left: this one at its end, or others that were killed."""

import contextlib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import OURS, PROCESS, RUN, Run


@dataclass(frozen=True)
class Swept:
    """How many things of each kind were removed."""

    containers: int = 0
    networks: int = 0
    volumes: int = 0
    images: int = 0

    def __str__(self) -> str:
        """In words."""
        counted = {"container": self.containers, "network": self.networks, "volume": self.volumes, "image": self.images}
        parts = [f"{number} {what}{'s' if number > 1 else ''}" for what, number in counted.items() if number]
        return ", ".join(parts) or "nothing"


def sweep(client: Client, run: Run) -> Swept:
    """Remove everything of one run but the images that it built, which are the next one's cache."""
    return _sweep(client, f"{RUN}={run.name}", lambda _: True)


def sweep_all(client: Client, alive: Callable[[str], bool]) -> Swept:
    """Remove everything of every run whose process is not `alive`, and the images of all."""
    swept = _sweep(client, OURS, lambda labels: not alive(labels.get(PROCESS, "")))
    images = 0
    with told("The images cannot be listed"):
        found = client.images(filters={"label": OURS})
    for image in found:
        with contextlib.suppress(EngineError), told("no"):
            client.remove_image(image["Id"], force=True)
            images += 1
    return Swept(swept.containers, swept.networks, swept.volumes, images)


def _sweep(client: Client, label: str, chosen: Callable[[dict[str, str]], bool]) -> Swept:
    containers = networks = volumes = 0
    with told("What is left of earlier runs cannot be listed"):
        for container in client.containers(all=True, filters={"label": label}):
            if chosen(container.get("Labels") or {}):
                with contextlib.suppress(EngineError), told("no"):
                    client.remove_container(container["Id"], v=True, force=True)
                    containers += 1
        for network in client.networks(filters={"label": label}):
            if chosen(network.get("Labels") or {}):
                with contextlib.suppress(EngineError), told("no"):
                    client.remove_network(network["Id"])
                    networks += 1
        for volume in client.volumes(filters={"label": label}).get("Volumes") or []:
            if chosen(volume.get("Labels") or {}):
                with contextlib.suppress(EngineError), told("no"):
                    client.remove_volume(volume["Name"], force=True)
                    volumes += 1
    return Swept(containers, networks, volumes)


def this_process() -> str:
    """Our process, in a way that tells whether it still lives: machine, boot, process id, and when it began."""
    return f"{socket.gethostname()}/{_boot()}/{os.getpid()}/{_began(os.getpid())}"


def lives(process: str) -> bool:
    """Whether that process is one of this machine and still there. Of another machine's nothing is known: it is not."""
    host, _, rest = process.partition("/")
    boot, _, rest = rest.partition("/")
    number, _, began = rest.partition("/")
    if (host, boot) != (socket.gethostname(), _boot()) or not number.isdigit():
        return False
    return bool(began) and _began(int(number)) == began


def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""


def _began(process: int) -> str:
    with contextlib.suppress(OSError, IndexError):
        # The 22nd field is the start time (proc(5)); the second, in parentheses, may hold spaces.
        return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    return ""
