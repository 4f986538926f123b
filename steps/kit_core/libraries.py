# SPDX-License-Identifier: MIT
"""What libraries say by themselves: unmasked, unasked, in the middle of a JSON log, where nobody takes care of it."""

import contextlib
import logging
from collections.abc import Iterator

from kit_core.console import Console


class _ToConsole(logging.Handler):
    """Hands what is logged on as a detail, which people see with DEBUG, masked as everything."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging`; a record that cannot be formatted is none of our business."""
        with contextlib.suppress(Exception):
            self._console.detail(f"{record.name}: {record.getMessage()}")


@contextlib.contextmanager
def told_by(console: Console) -> Iterator[None]:
    """While the body runs, the log records and warnings of libraries go to `console`, none to standard error."""
    handler = _ToConsole(console)
    root = logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
