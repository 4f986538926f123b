# SPDX-License-Identifier: MIT
"""kit-deployer: brings every cluster to its folder of manifests and waits until it is healthy, or says why it is not.

In the order in which data flows: `settings` declares what can be set, `compatibility` what has no effect (any more, or
yet); `options` holds it as values. `inputs` pairs kubeconfigs with cluster folders and reads their manifests. `fleet`
runs one `rollout` a cluster, side by side, through `server`, the way to an API server. A rollout reads the cluster and
decides: `desired` is what objects are to look like, `plan` what is done with each and why, `strategies` what takes over
from what; `diff` shows it. Then it applies, and waits until `health` has its verdict. All of it ends in `result`, from
which every `report` is made; `listeners` are told while it goes on, and `backup` keeps what was applied. `status` looks
at the clusters and changes nothing. `selectors`, `objects` and `parallel` are words and tools of all. `wiring` makes
values of the settings, `cli` is the program, `api` the library:

>>> from kit_deployer import Deployer, Options
>>> deployer = Deployer(configs="clusters/*/kubeconfig", manifests_dir="generated", commit="4f2a91c")
>>> result = deployer.run(Options(dry_run=False))  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit_core.errors import InputError, KitError
    from kit_core.secrets import Secret
    from kit_deployer.api import Deployer
    from kit_deployer.desired.annotate import Writing
    from kit_deployer.health.model import Policy
    from kit_deployer.options import Options, Waiting
    from kit_deployer.result import ClusterResult, Failure, ObjectResult, RunResult
    from kit_deployer.selectors import parse_selector

__all__ = [
    "ClusterResult",
    "Deployer",
    "Failure",
    "InputError",
    "KitError",
    "ObjectResult",
    "Options",
    "Policy",
    "RunResult",
    "Secret",
    "Waiting",
    "Writing",
    "parse_selector",
]

_HOMES = {
    "ClusterResult": "kit_deployer.result",
    "Deployer": "kit_deployer.api",
    "Failure": "kit_deployer.result",
    "InputError": "kit_core.errors",
    "KitError": "kit_core.errors",
    "ObjectResult": "kit_deployer.result",
    "Options": "kit_deployer.options",
    "Policy": "kit_deployer.health.model",
    "RunResult": "kit_deployer.result",
    "Secret": "kit_core.secrets",
    "Waiting": "kit_deployer.options",
    "Writing": "kit_deployer.desired.annotate",
    "parse_selector": "kit_deployer.selectors",
}


def __getattr__(name: str) -> Any:
    # Loaded at first use: the program's --help needs none of it.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
