# SPDX-License-Identifier: MIT
"""Whether an image is in its registry, and under which digest.

It is asked by the distribution API (https://github.com/opencontainers/distribution-spec): the head of a manifest, and
the manifest itself where a registry answers that badly. `reference` says which registry and which name, `dockerconfig`
holds what opens it, `challenge` earns the right to ask, `web` sends the requests.
"""

import hashlib
import ipaddress
import json
import ssl
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from kit_core.errors import InputError, KitError, WorkError
from kit_core.secrets import Masker, Secret
from kit_image_deployer.connections.pool import NoTlsError, origin
from kit_image_deployer.connections.web import Answer, Web
from kit_image_deployer.faults import Fault, NoAnswer
from kit_image_deployer.patience import Waiting
from kit_image_deployer.registry.challenge import Authority, words_of_answer
from kit_image_deployer.registry.dockerconfig import DockerConfig
from kit_image_deployer.registry.reference import Reference, is_digest, taken_apart

_MEDIA_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_AT_ONCE: Final = 4
_SETTING: Final = (
    "IMAGE (or DOCKER_REGISTRY); a registry that speaks plain http only has to be named in KIT_INSECURE_REGISTRIES"
)


@dataclass(frozen=True, kw_only=True)
class RegistryAccess:
    """How registries are reached: credentials, trusted certificates, `env` for proxies, the hosts (with a port, if
    any) that may be asked by plain `insecure` http, and the seconds that remain of the run's time.

    `secret_found` is told of every credential, before anything is done with it.
    """

    config: DockerConfig
    tls: ssl.SSLContext | None
    env: Mapping[str, str]
    remaining: Callable[[], float]
    insecure: frozenset[str] = frozenset()
    secret_found: Callable[[Secret], object] = lambda _secret: None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a registry has under a reference. `size` is in bytes, None where it did not say."""

    digest: str
    media_type: str
    size: int | None


def resolve_all(
    references: Iterable[str], *, access: RegistryAccess, waiting: Waiting, tell: Callable[[str], object]
) -> dict[str, Manifest]:
    """Ask for every reference, each once, a few at a time; again after faults, as long as `waiting` allows.

    Raises `WorkError` for the first that is not there or cannot be asked for, `InputError` for settings and files that
    are wrong, `TimeLimitError` at the deadline.
    """
    found: dict[str, Manifest] = {}
    open_still = list(dict.fromkeys(references))
    while open_still:
        asked = _resolved(open_still, access)
        fault: tuple[str, Fault] | None = None
        for reference, answer in zip(open_still, asked, strict=True):
            if isinstance(answer, KitError):
                raise answer
            if isinstance(answer, Manifest):
                found[reference] = answer
                tell(f"{reference} is in its registry: {answer.digest}")
            else:
                fault = fault or (taken_apart(reference).registry, answer)
        open_still = [reference for reference in open_still if reference not in found]
        if fault is not None:
            waiting.after_fault(fault[1], fault[0])
    return found


def _resolved(references: list[str], access: RegistryAccess) -> list[Manifest | KitError | Fault]:
    def ask(reference: str) -> Manifest | KitError | Fault:
        try:
            return resolve(reference, access=access)
        except (KitError, Fault) as error:
            return error

    if len(references) == 1:
        return [ask(references[0])]
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return list(pool.map(ask, references))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def resolve(reference: str, *, access: RegistryAccess) -> Manifest:
    """Ask once for a reference. Raises `Fault` for what may pass, else `WorkError` or `InputError`."""
    conversation = _Conversation(reference, taken_apart(reference), access)
    try:
        return conversation.manifest()
    finally:
        conversation.close()


class _Conversation:
    """About one image with its registry."""

    def __init__(self, text: str, reference: Reference, access: RegistryAccess) -> None:
        self._text, self._reference, self._access = text, reference, access
        local = is_local(reference.host)
        self._plain = local or bool({reference.host, reference.registry} & access.insecure)
        self._base = f"https://{reference.host}"
        self._answered = False
        self._masker = Masker()
        # As Docker does, this machine is asked without a proxy.
        env = {} if local else access.env
        self._web = Web(where=reference.registry, setting=_SETTING, tls=access.tls, env=env, remaining=access.remaining)
        self._authority = Authority(
            reference=reference, config=access.config, web=self._web, remaining=access.remaining,
            secret_found=self._secret_found,
        )  # fmt: skip

    def close(self) -> None:
        self._web.close()

    def _secret_found(self, secret: Secret) -> None:
        self._masker.add(secret)
        self._access.secret_found(secret)

    def manifest(self) -> Manifest:
        head = self._ask("HEAD")
        digest = head.headers.get("Docker-Content-Digest", "")
        algorithm = (self._reference.digest or digest).partition(":")[0]
        told = is_digest(digest) and digest.startswith(f"{algorithm}:")
        if head.status == 200 and told and _media_type(head) in _MEDIA_TYPES:
            return self._checked(digest, head)
        answer = self._ask("GET")
        if answer.status != 200:
            raise self._refusal(answer)
        version = _schema_version(answer.body)
        if version is None:
            raise WorkError(
                "this is no registry", where=self._reference.registry,
                why=f"it answered with {_media_type(answer) or 'no content type'} instead of a manifest",
                hint=f"Check {_SETTING}.",
            )  # fmt: skip
        if version != 2:  # of the first one, a digest is not that of what is sent
            raise WorkError(
                f"{self._text} is in a form that is no longer used", where=self._reference.registry,
                why=f"its manifest has the schema version {version!r}", hint="Push it again with a tool of today.",
            )  # fmt: skip
        algorithm = (self._reference.digest or "sha256").partition(":")[0]
        return self._checked(f"{algorithm}:{hashlib.new(algorithm, answer.body).hexdigest()}", answer)

    def _checked(self, digest: str, answer: Answer) -> Manifest:
        wanted = self._reference.digest
        if wanted is not None and digest != wanted:
            raise WorkError(
                "the registry answered with another image than the one asked for",
                where=self._reference.registry, why=f"{self._text}: its digest is {digest}",
            )  # fmt: skip
        length = answer.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() else len(answer.body) or None
        return Manifest(digest=digest, media_type=_media_type(answer), size=size)

    def _ask(self, method: str) -> Answer:
        """One request; with what the registry wants for it, where it wants something."""
        path = f"/v2/{self._reference.repository}/manifests/{self._reference.wanted}"
        headers = {"Accept": ", ".join(_MEDIA_TYPES)}
        try:
            answer = self._web.ask(method, self._base + path, headers=headers, secret=self._authority.header)
        except (NoTlsError, NoAnswer):
            if self._answered or not self._plain:
                raise
            self._answered = True  # nothing that was earned over TLS goes without it
            self._base = f"http://{self._reference.host}"
            return self._ask(method)
        self._answered = True
        same = origin(answer.url) == origin(self._base)
        if answer.status == 401 and same and self._authority.earn(answer):
            answer = self._web.ask(method, self._base + path, headers=headers, secret=self._authority.header)
        return answer

    def _refusal(self, answer: Answer) -> KitError:
        registry = self._reference.registry
        words = self._masker.mask(words_of_answer(answer))
        why = answer.told + (f": {words}" if words else "")
        if answer.status == 404:
            hint = (
                "Nothing was written. Was it pushed, and under this name? Check IMAGE (or DOCKER_REGISTRY, DOCKER_REPO,"
                " CI_BRANCH and CI_COMMIT_ID); some registries answer so, too, where the credentials may not see it."
            )
            return WorkError(f"{self._text} is not there", where=registry, why=why, hint=hint)
        if answer.status in {401, 403}:
            return self._authority.denied(why)
        return WorkError(f"the registry refused to tell of {self._text}", where=registry, why=why)


def is_local(host: str) -> bool:
    """Whether a host (with a port, if any) is this machine itself, which Docker, too, may ask by plain http."""
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def insecure_hosts(names: Iterable[str]) -> frozenset[str]:
    """The hosts of KIT_INSECURE_REGISTRIES. Raises `InputError` for an entry that is no host or host:port."""
    for name in names:
        if not name or set(name) & set("/@ *"):
            raise InputError(
                f"KIT_INSECURE_REGISTRIES names {name!r}, which is no host", hint="Write host or host:port, no address."
            )
    return frozenset(name.lower() for name in names)


def _media_type(answer: Answer) -> str:
    return str(answer.headers.get("Content-Type", "")).partition(";")[0].strip()


def _schema_version(body: bytes) -> object:
    """What a manifest says of its form, None for what is no manifest."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content.get("schemaVersion") if isinstance(content, dict) else None
