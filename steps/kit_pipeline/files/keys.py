# SPDX-License-Identifier: MIT
"""The keys of both files: what each service and step may say, and what is accepted without effect."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PASSED_ON_TEXT: Final = _words("user working_dir hostname domainname cpu_shares cpuset mem_limit read_only restart")
"""Single values that the engine gets as they are."""
PASSED_ON_LISTS: Final = _words("dns dns_search extra_hosts expose cap_add cap_drop security_opt")
"""Values that may be one or many."""

SERVICE: Final = (
    PASSED_ON_TEXT
    | PASSED_ON_LISTS
    | _words(
        """build image dockerfile environment env_file encrypted_env_file encrypted_environment encrypted_dockercfg_path
    dockercfg_service volumes volumes_from depends_on links cached default_cache_branch add_docker command entrypoint"""
    )
)
SERVICE_IGNORED: Final = _words(
    """networks network_mode container_name devices extends init logging pid tmpfs tty ulimits stop_signal
    stop_grace_period labels privileged ports stdin_open external_links cgroup_parent cpu_quota group_add ipc isolation
    log_driver log_opt mac_address memswap_limit mem_swappiness oom_score_adj oom_scope_adj volume_driver healthcheck"""
)
"""Compose's keys that say nothing about a pipeline; each is noted once."""
BUILD: Final = _words("image context dockerfile args encrypted_args encrypted_args_file path dockerfile_path")
FILE_IGNORED: Final = _words("volumes networks version name")
"""Of a services file that has `services:`."""

STEP: Final = _words(
    """name type tag exclude service services command steps image_name image_tag registry encrypted_dockercfg_path
    dockercfg_service on_fail local"""
)
PUSH_ONLY: Final = _words("image_name image_tag registry")
TYPES: Final = ("run", "serial", "parallel", "manual", "push", "matrix")
GROUPS: Final = frozenset({"serial", "parallel", "manual", "matrix"})
ON_FAIL: Final = _words("name service command")
