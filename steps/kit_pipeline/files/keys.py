# SPDX-License-Identifier: MIT
"""The keys of both files: what each service and step may say, and what is accepted without effect.

Reading goes by these tables, and so do the JSON Schemas for editors (`schemas`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Shape = Literal["text", "texts", "pairs", "words", "flag", "names", "build", "steps", "on_fail", "type"]
"""One value; one or many; a map or a list of `KEY=value`; a command; true or false; a list or a map of names."""


@dataclass(frozen=True)
class Key:
    """What a key holds, what it is for, and whether the engine gets it as it is."""

    shape: Shape
    help: str
    passed_on: bool = False


def _ignored(text: str) -> frozenset[str]:
    return frozenset(text.split())


SERVICE: Final[Mapping[str, Key]] = {
    "build": Key("build", "The image is built: from this folder, or as the keys below it say."),
    "image": Key("text", "The image is pulled: its name. A service has either this or `build`."),
    "dockerfile": Key("text", "The Dockerfile, from the build's folder."),
    "environment": Key("pairs", "Variables of the container."),
    "env_file": Key("texts", "Files of KEY=value lines; stronger than `environment`."),
    "encrypted_env_file": Key("texts", "The same, encrypted with the AES key; stronger than `env_file`."),
    "encrypted_environment": Key("texts", "Encrypted KEY=value lines that stand in this file itself."),
    "encrypted_dockercfg_path": Key("text", "Encrypted file with the logins to registries."),
    "dockercfg_service": Key("text", "Service whose container writes the logins, to the path it is given."),
    "volumes": Key("texts", "`./folder:/path` lives across steps, `/path` alone for one step."),
    "volumes_from": Key("texts", "Services whose volumes this one sees."),
    "depends_on": Key("names", "Services that run beside this one, under their own names."),
    "links": Key("texts", "Services that run beside this one; `service:alias` gives another name."),
    "cached": Key("flag", "Accepted; it means nothing on a machine that keeps its images."),
    "default_cache_branch": Key("text", "Accepted; it means nothing on a machine that keeps its images."),
    "add_docker": Key("flag", "The container may use this machine's Docker engine."),
    "command": Key("words", "What runs, unless a step says it."),
    "entrypoint": Key("words", "The image's own program is replaced by this one."),
    "user": Key("text", "Name or number of the user in the container.", passed_on=True),
    "working_dir": Key("text", "The folder that commands run in.", passed_on=True),
    "hostname": Key("text", "The container's own name.", passed_on=True),
    "domainname": Key("text", "The container's own domain.", passed_on=True),
    "cpu_shares": Key("text", "Its weight where processors are short: 1024 is an ordinary one's.", passed_on=True),
    "cpuset": Key("text", "The processors it may use: `0-2` or `0,1`.", passed_on=True),
    "mem_limit": Key("text", "The most memory it gets: `512m`, `2g`.", passed_on=True),
    "read_only": Key("flag", "The container's own files cannot be changed.", passed_on=True),
    "restart": Key("text", "When it is started again: `no`, `on-failure:3`, `always`.", passed_on=True),
    "dns": Key("texts", "Servers that it asks for names.", passed_on=True),
    "dns_search": Key("texts", "Domains in which it looks for short names.", passed_on=True),
    "extra_hosts": Key("pairs", "Further hosts, as `name:address`.", passed_on=True),
    "expose": Key("texts", "Ports that its neighbours may use.", passed_on=True),
    "cap_add": Key("texts", "Capabilities that it gets beside the usual ones.", passed_on=True),
    "cap_drop": Key("texts", "Capabilities that are taken from it.", passed_on=True),
    "security_opt": Key("texts", "Options of the kernel's security modules.", passed_on=True),
}
PASSED_ON: Final = frozenset(name for name, key in SERVICE.items() if key.passed_on)

SERVICE_IGNORED: Final = _ignored(
    """networks network_mode container_name devices extends init logging pid tmpfs tty ulimits stop_signal
    stop_grace_period labels privileged ports stdin_open external_links cgroup_parent cpu_quota group_add ipc isolation
    log_driver log_opt mac_address memswap_limit mem_swappiness oom_score_adj oom_scope_adj volume_driver healthcheck"""
)
"""Compose's keys that say nothing about a pipeline; each is noted once."""

BUILD: Final[Mapping[str, Key]] = {
    "image": Key("text", "Name of what is built. Steps find it by its service."),
    "context": Key("text", "The folder whose files the build gets; without it, that of this file."),
    "dockerfile": Key("text", "The Dockerfile, from that folder."),
    "args": Key("pairs", "Arguments of the build. Their values are Go templates: `{{.CommitID}}`."),
    "encrypted_args": Key("texts", "Encrypted KEY=value lines; stronger than `args`."),
    "encrypted_args_file": Key("texts", "Encrypted files of KEY=value lines; stronger than both."),
    "path": Key("text", "The old name of `context`."),
    "dockerfile_path": Key("text", "The old name of `dockerfile`."),
}
OLD: Final[Mapping[str, str]] = {"path": "context", "dockerfile_path": "dockerfile"}
ABOVE_BUILD: Final = frozenset({
    "cached", "environment", "env_file", "encrypted_env_file", "encrypted_environment", "encrypted_dockercfg_path",
    "dockercfg_service", "volumes", "command", "entrypoint", "depends_on", "links",
})  # fmt: skip
"""Keys of a service that people also write under its `build`."""
FILE_IGNORED: Final = frozenset({"volumes", "networks", "name", "secrets", "configs"})
"""What Compose puts beside `services:`."""

STEP: Final[Mapping[str, Key]] = {
    "name": Key("text", "What the step is called; without it, by its service."),
    "type": Key("type", "`run` (without it), `push`, or a group: `serial`, `parallel`, `manual`."),
    "tag": Key("text", "The branch or tag whose builds run it; with ^ or $ an RE2 expression."),
    "exclude": Key("text", "The branch or tag whose builds do not; stronger than `tag`."),
    "service": Key("text", "The service whose container it runs in."),
    "services": Key("texts", "Of a group: its steps run once for each of these."),
    "command": Key("words", "What runs. There is no shell: operators and variables want `sh -c '…'`."),
    "steps": Key("steps", "The steps of a group."),
    "image_name": Key("text", "Of a push: the repository that gets the image."),
    "image_tag": Key("text", "Of a push: its tag, a Go template; `latest` without it."),
    "registry": Key("text", "Of a push: the registry; Docker Hub without it."),
    "encrypted_dockercfg_path": Key("text", "Encrypted file with the logins to registries."),
    "dockercfg_service": Key("text", "Service whose container writes the logins."),
    "on_fail": Key("on_fail", "Steps for when this one, or one in it, has failed."),
    "local": Key("flag", "false: left out on a person's machine, done in CI."),
}
PUSH_ONLY: Final = ("image_name", "image_tag", "registry")
GROUPS: Final = ("serial", "parallel", "manual", "matrix")
TYPES: Final = ("run", "push", *GROUPS)
ON_FAIL: Final[Mapping[str, Key]] = {
    "name": Key("text", "What the step is called."),
    "service": Key("text", "The service whose container it runs in; without it, that of the step."),
    "command": Key("words", "What runs."),
}
