# SPDX-License-Identifier: MIT
"""One setting of every type, to be read."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_core.settings import CommonSettings, load_settings, setting


@dataclass(frozen=True, kw_only=True)
class Shop(CommonSettings):
    """One setting of every type."""

    commit: bool = setting(False, original=True, group="Shop", help="Push it.")
    branch: str | None = setting(
        None, original=True, native=("GITHUB_REF_NAME", "GIT_BRANCH"), group="Shop", help="Branch."
    )
    configs: str = setting("/configs", original=True, aliases=("CONFIGS_PATTERN",), group="Shop", help="Glob.")
    git_url: str | None = setting(None, group="Shop", help="Remote.")
    git_password: Secret | None = setting(None, group="Shop", help="Password.")
    token: Secret | None = setting(
        None, original=True, aliases=("ACCESS_TOKEN",), native=("GITHUB_TOKEN",), group="Shop", help="Token."
    )
    retries: int = setting(10, minimum=0, maximum=100, group="Shop", help="Attempts.")
    build: int | None = setting(None, group="Shop", help="Number.")
    deadline: float = setting(300, unit="s", minimum=0, group="Shop", help="Limit.")
    images: tuple[str, ...] = setting((), group="Shop", help="Images.")
    ignored_errors: tuple[str, ...] = setting(("Unhealthy",), original=True, group="Shop", help="Errors.")
    strategy: Literal["rolling-update", "fast-rollback"] = setting("rolling-update", group="Shop", help="Strategy.")
    report_dir: Path | None = setting(None, group="Shop", help="Folder.")
    elroy_url: str | None = setting(None, original=True, ignored=True, group="Shop", help="Gone.")


def load(env: dict[str, str] | None = None, **options: str) -> Any:
    return load_settings(Shop, env or {}, options).settings


def problem(env: dict[str, str]) -> str:
    with pytest.raises(InputError) as raised:
        load(env)
    assert raised.value.exit_code == 2
    return str(raised.value)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
