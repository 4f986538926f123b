# SPDX-License-Identifier: MIT
"""The engine's errors, in its own words."""

from collections.abc import Iterator
from contextlib import contextmanager

from kit_core.errors import WorkError


class EngineError(WorkError):
    """The engine refused something, or cannot be reached. `missing` where what was asked for is not there."""

    missing = False


@contextmanager
def told(what: str, *, where: str | None = None, hint: str | None = None) -> Iterator[None]:
    """Turn the engine's errors into ours: `what` failed, at `where`, because of its own text."""
    import requests
    from docker.errors import APIError, DockerException, NotFound

    try:
        yield
    except APIError as error:
        text = error.explanation or str(error)
        failure = EngineError(what, where=where, why=str(text).strip(), hint=hint)
        failure.missing = isinstance(error, NotFound)
        raise failure from None
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise EngineError(what, where=where, why=str(error).strip() or type(error).__name__, hint=hint) from None
