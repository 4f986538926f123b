# SPDX-License-Identifier: MIT
"""kit-deployer: brings every cluster to its folder of manifests and waits until it is healthy, or says why it is not.

In the order in which data flows: `settings` declares what can be set, `options` holds it as values. `targets` pairs
kubeconfigs (`kubeconfig`) with cluster folders; `inputs` reads their `manifests` and the render's `index`; `shapes`
and `lint` find what a server would refuse. `fleet` runs one `rollout` a cluster, side by side. A rollout reads the
cluster (`survey`), and plans: `annotate` writes labels and names (`beside` those of fast-rollback), `order` knows the
phases, `dependencies` who waits for whom, `compare` and `managedfields` tell changed from same, `fitting` leaves out
what others rule, `strategies` decide what takes over from what, `plan` is the value that comes of it. `applying`
sends it, `depending` holds back what waits, `healthy` waits (`waiting`, `watching`) until `health` has its verdict,
`explain` makes it a sentence, `switching` lets Services change over, `inventory` remembers on the cluster what was
put there. `cluster` is the one place that talks to an API server (`sending`, `connection`, `credentials`,
`discovery`, `failures`). All of it ends in `result`, from which every `report` is made; `telling` listens
(`listening`) and tells webhooks. `cli` is the program, `api` the library:

>>> from kit_deployer import Deployer, Options
>>> deployer = Deployer(configs="clusters/*/kubeconfig", manifests_dir="generated", commit="4f2a91c")
>>> result = deployer.run(Options(dry_run=False))  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit_deployer.annotate import Writing
    from kit_deployer.api import Deployer
    from kit_deployer.options import Options, Waiting
    from kit_deployer.result import RunResult

__all__ = ["Deployer", "Options", "RunResult", "Waiting", "Writing"]

_HOMES = {"Deployer": "api", "Options": "options", "RunResult": "result", "Waiting": "options", "Writing": "annotate"}


def __getattr__(name: str) -> Any:
    # Loaded at first use: the program's --help needs none of it.
    if name in _HOMES:
        return getattr(import_module(f"kit_deployer.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
