# SPDX-License-Identifier: MIT
"""What libraries and threads say by themselves: unmasked, unasked, in the middle of a JSON log, unless it is caught."""

import contextlib
import logging
import threading
import traceback
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
    """While the body runs, what libraries log and warn of, and what ends a thread, goes to `console` alone."""

    def ended(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "a thread"
        console.detail("".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)))
        console.warning(f"{name} ended by a fault of kit: {args.exc_type.__name__}: {args.exc_value}")

    handler = _ToConsole(console)
    root = logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(True)
    before, threading.excepthook = threading.excepthook, ended
    try:
        yield
    finally:
        threading.excepthook = before
        logging.captureWarnings(False)
        root.removeHandler(handler)
