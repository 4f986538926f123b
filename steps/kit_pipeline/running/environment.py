# SPDX-License-Identifier: MIT
"""What a container finds in its environment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kit_core.dotenv import parse_env
from kit_core.files import read_text
from kit_pipeline.files.service import Service
from kit_pipeline.running.vault import Vault


def environment(
    service: Service,
    *,
    folder: Path,
    vault: Vault,
    ci: Mapping[str, str],
    given: Mapping[str, str],
    machine: Mapping[str, str],
) -> dict[str, str]:
    """The variables of a service's containers, each kind overriding the ones before it.

    First the run's own (`ci`), then `environment` (a name without a value has the `machine`'s), `env_file`,
    `encrypted_env_file`, `encrypted_environment`, and what the command line gave. Raises `InputError`.
    """
    values = dict(ci)
    for name, value in service.environment:
        if value is not None:
            values[name] = value
        elif name in machine:
            values[name] = machine[name]
    for file in service.env_files:
        values.update(parse_env(read_text(folder / file, what="The env file"), name=file))
    for file in service.encrypted_env_files:
        values.update(vault.variables(folder / file))
    for number, line in enumerate(service.encrypted_environment, 1):
        values.update(vault.line(line, name=f"{service.name}, encrypted_environment {number}"))
    return {**values, **given}


def link_variables(alias: str, container: str, address: str, config: Mapping[str, Any]) -> dict[str, str]:
    """What Docker's links told of another container (https://docs.docker.com/engine/network/links/).

    `container` is the name of the one that is told, `address` the other's IP, `config` the other's configuration.
    """
    name = "".join(letter if letter.isalnum() else "_" for letter in alias).upper()
    found = {f"{name}_NAME": f"/{container}/{alias}"}
    ports = sorted(config.get("ExposedPorts") or {}, key=lambda port: (int(port.partition("/")[0]), port))
    for index, port in enumerate(ports):
        number, _, protocol = port.partition("/")
        protocol = protocol or "tcp"
        whole = f"{protocol}://{address}:{number}"
        if index == 0:
            found[f"{name}_PORT"] = whole
        prefix = f"{name}_PORT_{number}_{protocol.upper()}"
        found.update({prefix: whole, f"{prefix}_ADDR": address, f"{prefix}_PORT": number, f"{prefix}_PROTO": protocol})
    for line in _own(config.get("Env") or []):
        key, _, value = line.partition("=")
        found[f"{name}_ENV_{key}"] = value
    return found


def _own(lines: Sequence[str]) -> list[str]:
    """Without what every container has, which would drown the rest."""
    names = {"PATH", "HOME", "HOSTNAME", "CI"}
    return [line for line in lines if (name := line.partition("=")[0]) not in names and not name.startswith("CI_")]
