# SPDX-License-Identifier: MIT
"""A step that runs a shop, run in this process."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kit_core.entry import Argument, Command, Context, Step, main
from kit_core.secrets import Secret
from kit_core.settings import CommonSettings, setting

CANARY = "s3cr3t-canary-value"


@dataclass(frozen=True, kw_only=True)
class ShopSettings(CommonSettings):
    dry_run: bool = setting(True, original=True, group="What to do", help="Only show what would happen.")
    name: str | None = setting(None, group="What to do", help="A name.")
    token: Secret | None = setting(None, group="Access", help="A token.")
    elroy: str | None = setting(None, original=True, ignored=True, group="Old", help="Gone.")


class Run:
    """A step run in this process; `code`, `out` and `err` are what a CI would see."""

    def __init__(self, work: Callable[..., Any], *argv: str, env: dict[str, str] | None = None) -> None:
        step = Step(
            name="kit-shop",
            package="kit_shop",
            summary="Runs a shop.",
            settings=ShopSettings,
            commands=(
                Command(name="run", help="Run it.", run=work),
                Command(
                    name="show",
                    help="Show one.",
                    run=work,
                    arguments=(
                        Argument(name="ITEM", help="which"),
                        Argument(name="MORE", help="others", required=False, many=True),
                    ),
                ),
            ),
            examples=("kit-shop --no-dry-run",),
        )
        out, err = io.StringIO(), io.StringIO()
        self.code = main(step, argv, env or {}, stdout=out, stderr=err)
        self.out, self.err = out.getvalue(), err.getvalue()


def nothing(_settings: Any, _context: Context, _arguments: Any) -> int:
    return 0


def raises(error: BaseException) -> Callable[..., int]:
    def work(*_: Any) -> int:
        raise error

    return work
