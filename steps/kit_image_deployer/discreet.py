# SPDX-License-Identifier: MIT
"""What the library raises shows no secret. A program masks all that it prints; a library's caller prints by itself."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from kit_core.secrets import Masker, Secret


@contextmanager
def discreet(secrets: Iterable[Secret | str | None]) -> Iterator[Masker]:
    """Mask `secrets`, and what the body adds, in every error that leaves the body, and in those that led to it: a
    server's words, which errors repeat, may hold what it was told.
    """
    masker = Masker()
    for secret in secrets:
        if secret:
            masker.add(secret)
    try:
        yield masker
    except Exception as error:
        for link in _chain(error):
            link.args = tuple(masker.mask(part) if isinstance(part, str) else part for part in link.args)
            for name, value in vars(link).items():
                if isinstance(value, str):
                    setattr(link, name, masker.mask(value))
        raise


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it was raised from, or amidst of."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            reason = getattr(link, "reason", None)  # urllib3's
            waiting += [link.__cause__, link.__context__, reason if isinstance(reason, BaseException) else None]
