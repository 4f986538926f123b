# SPDX-License-Identifier: MIT
"""How a new version takes over from the old one: decisions only, each strategy a file and a line here.

What they all share: Services switch and old Deployments go only when the new ones are healthy.
"""

from typing import Final, Literal

from kit_deployer.strategies.fast_rollback import FastRollback
from kit_deployer.strategies.model import Strategy
from kit_deployer.strategies.rolling_update import RollingUpdate

StrategyName = Literal["rolling-update", "fast-rollback"]

STRATEGIES: Final[dict[str, Strategy]] = {strategy.name: strategy for strategy in (RollingUpdate(), FastRollback())}
