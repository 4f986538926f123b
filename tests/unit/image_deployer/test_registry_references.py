# SPDX-License-Identifier: MIT
"""References taken apart as Docker reads them, and what registries ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError, WorkError
from kit_image_deployer.connections.pool import NoTlsError
from kit_image_deployer.connections.web import Answer
from kit_image_deployer.faults import Fault, NoAnswer
from kit_image_deployer.image import check_reference
from kit_image_deployer.registry.challenge import challenges
from kit_image_deployer.registry.client import RegistryAccess, insecure_hosts, is_local, resolve
from kit_image_deployer.registry.dockerconfig import DockerConfig
from kit_image_deployer.registry.reference import Reference, is_digest, pinned, taken_apart

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "registry", "repository", "wanted"),
    [
        ("nginx", "docker.io", "library/nginx", "latest"),
        ("nginx:1.27", "docker.io", "library/nginx", "1.27"),
        ("acme/cart:7", "docker.io", "acme/cart", "7"),
        ("docker.io/nginx", "docker.io", "library/nginx", "latest"),
        ("index.docker.io/acme/cart", "docker.io", "acme/cart", "latest"),
        ("registry-1.docker.io/acme/cart", "docker.io", "acme/cart", "latest"),
        ("localhost/cart:7", "localhost", "cart", "7"),
        ("localhost:5000/cart", "localhost:5000", "cart", "latest"),
        ("registry:5000/shop/cart:7", "registry:5000", "shop/cart", "7"),
        ("registry.example.com/cart", "registry.example.com", "cart", "latest"),
        ("Registry.Example.com/cart:A", "registry.example.com", "cart", "A"),
        ("127.0.0.1:5000/a/b/c:d", "127.0.0.1:5000", "a/b/c", "d"),
        ("[::1]:5000/a:d", "[::1]:5000", "a", "d"),
        (f"ghcr.io/acme/cart@{DIGEST}", "ghcr.io", "acme/cart", DIGEST),
        (f"ghcr.io/acme/cart:7@{DIGEST}", "ghcr.io", "acme/cart", DIGEST),
        (f"cart@{DIGEST}", "docker.io", "library/cart", DIGEST),
    ],
)
def test_a_reference_is_read_as_docker_reads_it(text: str, registry: str, repository: str, wanted: str) -> None:
    check_reference(text, setting="IMAGE")
    reference = taken_apart(text)
    assert (reference.registry, reference.repository, reference.wanted) == (registry, repository, wanted)


def test_docker_hub_is_asked_where_its_registry_is() -> None:
    assert taken_apart("nginx").host == "registry-1.docker.io"
    assert taken_apart("quay.io/acme/cart").host == "quay.io"


NAMES = st.from_regex(r"[a-z0-9]{1,8}([._-][a-z0-9]{1,5})?", fullmatch=True)
HOSTS = st.sampled_from(["localhost", "localhost:5000", "registry.example.com", "registry:443", "10.0.0.7:5000"])
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@given(
    host=st.none() | HOSTS,
    names=st.lists(NAMES, min_size=1, max_size=4),
    tag=st.none() | TAGS,
    digest=st.none() | st.just(DIGEST),
)
def test_every_part_of_a_reference_is_found_again(
    host: str | None, names: list[str], tag: str | None, digest: str | None
) -> None:
    if host is None and len(names) > 1 and ("." in names[0] or names[0] == "localhost"):
        host, names = names[0], names[1:]
    path = "/".join(names)
    text = f"{host}/{path}" if host else path
    text += f":{tag}" if tag else ""
    text += f"@{digest}" if digest else ""
    expected = path if host or len(names) > 1 else f"library/{path}"
    assert taken_apart(text) == Reference(registry=host or "docker.io", repository=expected, tag=tag, digest=digest)


@pytest.mark.parametrize("digest", ["sha256:abc", DIGEST.upper(), DIGEST + "0", "md5:" + "0" * 32, DIGEST[:-1] + "g"])
def test_a_digest_that_is_none(digest: str) -> None:
    assert not is_digest(digest)
    with pytest.raises(InputError, match=r"the digest .* is none"):
        taken_apart(f"registry.example.com/cart@{digest}")


def test_pinning_keeps_the_tag_and_leaves_alone_what_is_pinned() -> None:
    assert pinned("registry:5000/cart:7", DIGEST) == f"registry:5000/cart:7@{DIGEST}"
    other = f"registry:5000/cart@sha256:{'f' * 64}"
    assert pinned(other, DIGEST) == other
    check_reference(pinned("registry:5000/cart:7", DIGEST), setting="IMAGE")


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        (
            ['Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull,push"'],
            {
                "bearer": {
                    "realm": "https://auth.example.com/token",
                    "service": "registry",
                    "scope": "repository:a/b:pull,push",
                }
            },
        ),
        (['Basic realm="kit"'], {"basic": {"realm": "kit"}}),
        (["basic"], {"basic": {}}),
        (['Basic realm="a, b=c", Bearer realm=x'], {"basic": {"realm": "a, b=c"}, "bearer": {"realm": "x"}}),
        (["Negotiate", 'Basic realm="k"'], {"negotiate": {}, "basic": {"realm": "k"}}),
        ([r'BEARER Realm = "a\"b" , error=invalid_token'], {"bearer": {"realm": 'a"b', "error": "invalid_token"}}),
        (['Bearer realm="",service='], {"bearer": {"realm": "", "service": ""}}),
        ([], {}),
        ([",,, ="], {}),
        ([f'Basic {"," * 60_000}"'] * 10, {"basic": {}}),  # not in a time that grows with the square
    ],
)
def test_what_a_registry_asks_for(headers: list[str], asked: dict[str, dict[str, str]]) -> None:
    assert challenges(headers) == asked


@given(st.lists(st.text()))
def test_no_header_is_too_strange(headers: list[str]) -> None:
    challenges(headers)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.8.8.8", True),
        ("[::1]:5000", True),
        ("registry:5000", False),
        ("localhost.example.com", False),
        ("127.example.com", False),
        ("[2001:db8::1]:5000", False),
        ("10.0.0.1:5000", False),
    ],
)
def test_which_registries_are_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_hosts_that_may_be_plain() -> None:
    assert insecure_hosts(("Registry:5000", "10.0.0.1")) == {"registry:5000", "10.0.0.1"}
    for wrong in ("http://registry", "registry/shop", "*.example.com", "a b"):
        with pytest.raises(InputError, match="KIT_INSECURE_REGISTRIES"):
            insecure_hosts((wrong,))


@dataclass
class Script:
    """A web that answers what it is told to. `asked` are the addresses, each with whether it got credentials."""

    answers: list[Answer | Exception]
    asked: list[tuple[str, str, bool]] = field(default_factory=list)

    def ask(self, method: str, url: str, *, headers: Mapping[str, str], secret: Mapping[str, str]) -> Answer:
        self.asked.append((method, url, bool(secret)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return replace(answer, url=url)

    def close(self) -> None:
        pass


def test_what_was_earned_over_tls_never_goes_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    config = DockerConfig(path=Path("c"), content={"auths": {"r:5000": {"username": "u", "password": "p"}}}, env={})
    access = RegistryAccess(
        config=config, tls=None, env={}, remaining=lambda: 1.0, insecure=frozenset({"r:5000"})
    )  # fmt: skip
    asks = Answer(status=401, reason="", headers={"WWW-Authenticate": "Basic"}, body=b"", url="")
    bare = Answer(status=200, reason="", headers={}, body=b"", url="")
    script = Script([asks, bare, NoAnswer("cut"), asks, bare, bare])
    monkeypatch.setattr("kit_image_deployer.registry.client.Web", lambda **_: script)
    with pytest.raises(Fault, match="cut"):
        resolve("r:5000/cart:1", access=access)
    address = "https://r:5000/v2/cart/manifests/1"
    assert script.asked == [("HEAD", address, False), ("HEAD", address, True), ("GET", address, True)]


@pytest.mark.parametrize("trouble", [NoAnswer("refused"), NoTlsError("no TLS")])
def test_plain_http_is_tried_after_tls_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    headers = {"Docker-Content-Digest": DIGEST, "Content-Type": "application/vnd.oci.image.index.v1+json"}
    found = Answer(status=200, reason="", headers=headers, body=b"", url="")
    for insecure, addresses in [
        (frozenset({"r:5000"}), ["https://r:5000/v2/cart/manifests/1", "http://r:5000/v2/cart/manifests/1"]),
        (frozenset[str](), ["https://r:5000/v2/cart/manifests/1"]),
    ]:
        script = Script([trouble, found])
        monkeypatch.setattr("kit_image_deployer.registry.client.Web", lambda script=script, **_: script)
        config = DockerConfig(path=None, content={}, env={})
        access = RegistryAccess(config=config, tls=None, env={}, remaining=lambda: 1.0, insecure=insecure)
        if insecure:
            assert resolve("r:5000/cart:1", access=access).digest == DIGEST
        else:
            with pytest.raises(type(trouble)):
                resolve("r:5000/cart:1", access=access)
        assert [url for _, url, _ in script.asked] == addresses


def manifest(body: bytes) -> Answer:
    return Answer(status=200, reason="", headers={"Content-Type": "application/json"}, body=body, url="")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"schemaVersion": 1, "fsLayers": []}', "is in a form that is no longer used"),
        (b'{"schemaVersion": "hello"}', "is in a form that is no longer used"),
        (b'{"errors": []}', "this is no registry"),
        (b"[" * 100_000, "this is no registry"),
    ],
    ids=["first", "text", "none", "deep"],
)
def test_a_manifest_whose_digest_would_be_another_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, body: bytes, words: str
) -> None:
    """What is pinned has to be what can be pulled: of the first form, the digest leaves the signatures out."""
    script = Script([manifest(b""), manifest(body)])
    monkeypatch.setattr("kit_image_deployer.registry.client.Web", lambda **_: script)
    config = DockerConfig(path=None, content={}, env={})
    access = RegistryAccess(config=config, tls=None, env={}, remaining=lambda: 1.0)
    with pytest.raises(WorkError, match=words):
        resolve("r.example.com/cart:1", access=access)
