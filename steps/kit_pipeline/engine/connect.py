# SPDX-License-Identifier: MIT
"""Finding the engine."""

import os
from collections.abc import Mapping
from typing import Any, Final

from kit_core.errors import InputError
from kit_pipeline.engine.access import knock, refusal, silence

Client = Any
"""`docker.APIClient`, whose package has no types."""

_SECONDS: Final = 600


def connect(env: Mapping[str, str]) -> Client:
    """A client of the engine that DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH name, else of the local socket.

    It may be used from several threads. Raises `EngineError` where nobody answers, `InputError` for settings that
    cannot be.
    """
    from docker import APIClient
    from docker.errors import DockerException, TLSParameterError
    from docker.utils import kwargs_from_env

    if known := refusal(env, os.getgroups()):
        raise known
    try:
        knock(env)
        client = APIClient(**kwargs_from_env(environment=dict(env)), version="auto", timeout=_SECONDS, num_pools=64)
    except TLSParameterError as error:
        raise InputError("The engine's TLS settings are wrong", why=str(error).partition(". TLS")[0]) from None
    except (DockerException, OSError) as error:
        raise silence(env, error) from None
    # What the user's own ~/.docker/config.json says about registries is read by the client; nothing of it is ours.
    return client
