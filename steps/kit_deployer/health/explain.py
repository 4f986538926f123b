# SPDX-License-Identifier: MIT
"""From a verdict to the sentence a person reads: which object, which pod, why, and what to do next. Pure."""

from typing import Final

from kit_core.errors import KitError, TimeLimitError, WorkError
from kit_deployer.health.model import Finding, Verdict
from kit_deployer.objects import Key, Place
from kit_deployer.result import Failure

HINTS: Final = {
    "ErrImagePull": "Check that the image and its tag exist in the registry and that the cluster may pull it"
    " (imagePullSecrets).",
    "ErrImageNeverPull": "imagePullPolicy is Never: put the image on the node, or allow pulling.",
    "InvalidImageName": "Correct the image's name in the manifest.",
    "CreateContainerConfigError": "Create the ConfigMap, Secret or key that it names, or correct the name.",
    "CreateContainerError": "Correct what the message names in the pod's containers.",
    "CrashLoopBackOff": "Its last log lines tell why it ended.",
    "OOMKilled": "Raise resources.limits.memory, or have it use less.",
    "FailedCreate": "Mend what the message names: a quota, a policy, a webhook without an answer, a service account.",
    "FailedScheduling": "Ask for less, mend selectors and tolerations, or add nodes.",
    "FailedMount": "Create the volume, ConfigMap or Secret that it waits for.",
    "FailedAttachVolume": "See why the volume cannot be attached: it may still be in use on another node.",
    "ProgressDeadlineExceeded": "See its pods and their events; spec.progressDeadlineSeconds is how long it may take.",
    "Paused": "Set spec.paused to false to roll it out.",
    "BackoffLimitExceeded": "Its pods failed more often than backoffLimit allows; their log tells why.",
    "DeadlineExceeded": "It ran longer than activeDeadlineSeconds.",
    "NotReady": "See what its readiness probe asks for, or raise AVAILABLE_TIMEOUT if it merely takes long.",
    "Deleted": "Find out who deletes it (an operator, another deploy), and run this again.",
    "Terminating": "Whatever owns the finalizers has to finish; see its log. Then run this again.",
    "FailedWhen": "Look at its status: kubectl describe shows it.",
    "Lost": "Its PersistentVolume is gone: restore it, or delete the claim to get a new one.",
    "Failed": "Its pods' log tells why.",
    "Timeout": "Look at it with kubectl describe, or raise AVAILABLE_TIMEOUT (kit-deployer/timeout for it alone).",
}
_OTHERWISE: Final = "Look at it with kubectl describe: its status and events say more."


def failure_of(key: Key, verdict: Verdict, *, cluster: str, place: Place | None, logs: str) -> Failure:
    """The failure of an object that did not become healthy, with the log of the container to blame."""
    error = error_of(key, verdict, cluster=cluster, place=place)
    finding = _main(verdict)
    pod = finding.pod["metadata"]["name"] if finding is not None and finding.pod is not None else None
    return Failure(
        message=str(error),
        exit_code=error.exit_code,
        object=key,
        place=place,
        reason=finding.cause.reason if finding else "Timeout",
        pod=pod,
        container=finding.cause.container if finding else None,
        events=tuple(map(str, finding.events)) if finding else (),
        logs=logs,
    )


def error_of(key: Key, verdict: Verdict, *, cluster: str, place: Place | None) -> KitError:
    """The same as an error, as the console shows it."""
    finding = _main(verdict)
    why = [part for part in (_blame(verdict, finding), verdict.why) if part]
    facts = {"file": place.file, "line": place.line} if place else {}
    hint = HINTS.get(finding.cause.reason if finding else "Timeout", _OTHERWISE)
    if verdict.state == "timeout":
        what = f"{key} was not healthy after {verdict.seconds:.0f} s"
        return TimeLimitError(what, where=cluster, why="; ".join(why), hint=hint, **facts)  # type: ignore[arg-type]
    return WorkError(f"{key} failed", where=cluster, why="; ".join(why), hint=hint, **facts)  # type: ignore[arg-type]


def main_finding(verdict: Verdict) -> Finding | None:
    """The finding whose log is worth reading: one that names a pod, before one that does not."""
    return next((finding for finding in verdict.findings if finding.pod is not None), _main(verdict))


def _main(verdict: Verdict) -> Finding | None:
    """What is to blame first: a cause in a pod says more than the controller's summary of it."""
    with_pod = [finding for finding in verdict.findings if finding.pod is not None and finding.cause.message]
    return next(iter(with_pod), next(iter(verdict.findings), None))


def _blame(verdict: Verdict, finding: Finding | None) -> str:
    if finding is None:
        return ""
    cause = finding.cause
    who = ""
    if finding.pod is not None:
        who = f"pod {finding.pod['metadata']['name']}"
        node = (finding.pod.get("spec") or {}).get("nodeName")
        who += f" on node {node}" if node else ""
    if cause.container:
        who += f"{', ' if who else ''}container {cause.container}"
    others = len({id(other.pod) for other in verdict.findings if other.pod is not None}) - 1
    more = f" (and {others} more pod{'s' if others > 1 else ''})" if others > 0 else ""
    text = " ".join(cause.message.split())
    return ": ".join(part for part in (who, cause.reason, text) if part) + more
