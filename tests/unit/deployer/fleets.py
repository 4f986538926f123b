# SPDX-License-Identifier: MIT
"""Results of runs for the tests of reports: a small shop with one failure, a large fleet, and one full of traps."""

from __future__ import annotations

from dataclasses import replace

from kit_deployer.objects import Key, Place
from kit_deployer.result import ClusterResult, Did, Failure, ObjectResult, RunResult

STARTED = "2026-11-23T12:00:00+00:00"

IMAGE_DIFF = """\
--- live: Deployment {namespace}/{name}
+++ result: Deployment {namespace}/{name}
@@ -1,9 +1,9 @@
 metadata:
   name: {name}
   namespace: {namespace}
 spec:
   template:
     spec:
       containers:
       - name: {name}
-        image: registry.example.com/shop/{name}:master-41
+        image: registry.example.com/shop/{name}:master-42"""

SETTINGS_DIFF = """\
--- live: ConfigMap {namespace}/shop-settings
+++ result: ConfigMap {namespace}/shop-settings
@@ -2,5 +2,6 @@
 data:
-  BANNER: ''
+  BANNER: Ten percent off until Friday
+  CART_LIMIT: '40'
   CURRENCY: EUR
   PAYMENT_TOKEN: '***'"""

LOG = """\
2026-11-23T12:00:21Z starting checkout master-42
2026-11-23T12:00:21Z listening on :8080
2026-11-23T12:00:22Z payment provider: dial tcp 10.96.14.7:443: connect: connection refused
2026-11-23T12:00:22Z fatal: no payment provider after 3 attempts"""


def deployment(name: str, namespace: str) -> Key:
    return Key("apps", "Deployment", namespace, name)


def shop_cluster(name: str, *, begun: float, fails: bool = False) -> ClusterResult:
    """One cluster of the shop: four services and what goes with them; checkout may fail."""
    namespace = f"shop-{name}"
    place = Place(f"{name}/checkout/checkout-deployment.yaml", 1)
    items = [
        ObjectResult(key=Key("", "Namespace", "", namespace), did="unchanged"),
        ObjectResult(
            key=Key("", "ConfigMap", namespace, "shop-settings"), did="changed",
            diff=SETTINGS_DIFF.format(namespace=namespace), seconds=0.02, done_at=0.4,
        ),
        ObjectResult(key=Key("", "Secret", namespace, "payment-provider"), did="unchanged"),
        *(ObjectResult(key=Key("", "Service", namespace, each), did="unchanged")
          for each in ("storefront", "catalog", "cart", "checkout")),
        *(ObjectResult(
            key=deployment(each, namespace), did="unchanged", health="ready", health_why="2 of 2 available",
            healthy_at=0.7,
        ) for each in ("storefront", "catalog")),
        ObjectResult(
            key=deployment("cart", namespace), did="changed", health="ready", health_why="2 of 2 available",
            diff=IMAGE_DIFF.format(namespace=namespace, name="cart"), seconds=0.03, done_at=0.6, healthy_at=6.1,
        ),
        ObjectResult(
            key=deployment("checkout", namespace), did="changed", place=place, seconds=0.03, done_at=0.6,
            diff=IMAGE_DIFF.format(namespace=namespace, name="checkout"), healthy_at=21.4 if fails else 8.2,
            health="failed" if fails else "ready", health_why="CrashLoopBackOff" if fails else "2 of 2 available",
        ),
        ObjectResult(
            key=Key("batch", "Job", namespace, "catalog-migrate-5f2c1"), did="created", health="ready",
            health_why="completed", seconds=0.04, done_at=0.7, healthy_at=4.9,
        ),
        ObjectResult(
            key=Key("autoscaling", "HorizontalPodAutoscaler", namespace, "storefront"),
            did="not done" if fails else "unchanged",
        ),
    ]  # fmt: skip
    failure = Failure(
        message=(
            f"{name}: Deployment {namespace}/checkout failed: pod checkout-6d5b8c7f9d-x2x7q, container checkout:"
            " CrashLoopBackOff: it ended 3 times with exit code 1. Read its log below."
        ),
        object=deployment("checkout", namespace), place=place, reason="CrashLoopBackOff",
        pod="checkout-6d5b8c7f9d-x2x7q", container="checkout", logs=LOG,
        events=("Warning BackOff: Back-off restarting failed container checkout (3 times)",),
    )  # fmt: skip
    return ClusterResult(
        name=name, server=f"https://{name}.example.com:6443", namespace=namespace, commit="4f2a91c0b7d2",
        objects=tuple(items), failures=(failure,) if fails else (), begun=begun, seconds=21.9 if fails else 8.6,
        leftovers=(Key("", "ConfigMap", namespace, "old-banner"),) if name == "staging-eu" else (), requests=41,
    )  # fmt: skip


def shop(*failing: str) -> RunResult:
    """The shop on five clusters; those named fail."""
    names = ("production-eu", "production-us", "production-ap", "staging-eu", "staging-us")
    clusters = tuple(
        shop_cluster(name, begun=0.1 * index, fails=name in failing) for index, name in enumerate(sorted(names))
    )
    return RunResult(clusters=clusters, dry_run=False, started=STARTED, seconds=22.4 if failing else 9.1)


KINDS = (("", "ConfigMap"), ("", "Service"), ("apps", "Deployment"), ("batch", "CronJob"), ("", "Secret"))


def large(clusters: int, objects: int, *, same: bool = True) -> RunResult:
    """A fleet in which everything changes; `same` says whether each change is the same on every cluster."""

    def one(number: int) -> ClusterResult:
        name = f"region-{number // 50:02}-customer-{number:04}"
        did: tuple[Did, ...] = ("changed", "created", "changed")
        items = []
        for index in range(objects):
            group, kind = KINDS[index % len(KINDS)]
            key = Key(group, kind, f"shop-{number:04}", f"service-with-a-name-{index:02}")
            body = "\n".join(f"+  LINE_{line}: some value of a setting" for line in range(20))
            unique = "" if same else f"\n+  HOST: {name}.example.com"
            items.append(
                ObjectResult(
                    key=key, did=did[index % 3], health="ready", diff=f"--- live\n+++ result\n@@ @@\n{body}{unique}",
                    seconds=0.01, done_at=0.1 * index, healthy_at=6.0,
                )
            )  # fmt: skip
        failures: tuple[Failure, ...] = ()
        if number % 20 == 0:
            items[2] = replace(items[2], health="failed")
            message = f"{name}: {items[2].key} failed: no luck" + ("" if same else f" with number {number}")
            failures = (
                Failure(message=message, object=items[2].key, reason="ErrImagePull", logs="a line of a log\n" * 25),
            )
        return ClusterResult(
            name=name, server=f"https://{name}.example.com", namespace=f"shop-{number:04}", commit="4f2a91c",
            objects=tuple(items), failures=failures, begun=number * 0.3, seconds=7.0 + number % 9,
        )  # fmt: skip

    return RunResult(clusters=tuple(map(one, range(clusters))), dry_run=False, started=STARTED, seconds=320.0)


TRAPS = (
    "<script>window.trapped = 1</script>",
    "</script><script>window.trapped = 2</script>",
    "<!--<script>",
    "</style><style>body { display: none }</style>",
    "</textarea></title><img src=x onerror='window.trapped = 3'>",
    '" onmouseover="window.trapped = 4" x="',
    "' autofocus onfocus='window.trapped = 5",
    "javascript:window.trapped=6",
    "line\u2028separator\u2029here",
    "nul\x00 bell\x07 \x1b[31mred\x1b[0m \u202etxet",
    "half \ud800 pair",
    "{{ 7 * 7 }} {% raw %}",
    "]]> &lt; &amp;lt; `code` ``` ~~~ [link](javascript:alert) | @everyone #1",
)


def hostile() -> RunResult:
    """A result in which every text that is not kit's is a trap."""
    clusters = []
    for trap in TRAPS:
        key = Key("", "ConfigMap", trap, f"name-{trap}")
        item = ObjectResult(
            key=key, did="changed", why=trap, diff=f"--- a\n+++ b\n@@ @@\n-{trap}\n+{trap}", health="failed",
            health_why=trap, place=Place(trap, 3), done_at=0.1, healthy_at=0.2,
        )  # fmt: skip
        failure = Failure(
            message=f"{trap}: {trap}", object=key, place=Place(trap, 3), reason=trap, pod=trap, container=trap,
            events=(trap,), logs=f"{trap}\n```\n{trap}",
        )  # fmt: skip
        clusters.append(
            ClusterResult(
                name=f"cluster {trap}", server=trap, namespace=trap, commit=trap, objects=(item,), failures=(failure,),
                leftovers=(key,), restarts=((key, key),), notes=(trap,), seconds=1.0,
            )
        )  # fmt: skip
    return RunResult(clusters=tuple(clusters), dry_run=False, started=STARTED, seconds=1.0, warnings=TRAPS)
