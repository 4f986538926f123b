# SPDX-License-Identifier: MIT
"""What a bucket is asked and told: encryption, refusals, what passes, proxies."""

from __future__ import annotations

import pytest

from kit_deployer.backup.bucket import Unsaved, Where
from tests.unit.deployer.storage import KEYS, at, put, refusal, service


def test_the_server_is_asked_to_encrypt_and_believed_only_if_it_says_so() -> None:
    with service() as server:
        assert put(at(server)) is False
        server.gives["x-amz-server-side-encryption"] = "AES256"
        assert put(at(server)) is True
        put(at(server, encryption="aws:kms"))
        put(at(server, encryption="none"))
    asked = [headers.get("x-amz-server-side-encryption") for _, _, headers in server.asked]
    assert asked == ["AES256", "AES256", "aws:kms", None]
    assert server.paths("PUT") == ["/backups/shop/ConfigMap/a.yaml"] * 4
    assert "AKIAKIT" in server.asked[0][2]["authorization"]
    assert "eu-central-1/s3/aws4_request" in server.asked[0][2]["authorization"]
    assert server.asked[0][2]["content-type"] == "application/yaml"


@pytest.mark.parametrize(
    ("status", "text", "why", "hopeless"),
    [
        (404, refusal("NoSuchBucket"), "NoSuchBucket: the bucket does not exist", True),
        (403, refusal("AccessDenied"), "AccessDenied: these credentials may not write there", True),
        (403, refusal("SignatureDoesNotMatch"), "does not belong to AWS_ACCESS_KEY_ID", True),
        (501, refusal("NotImplemented"), "KIT_BACKUP_ENCRYPTION=none", True),
        (400, refusal("EntityTooLarge"), "EntityTooLarge: No.", False),
        (302, "", "the answer is none that S3 gives", False),
        (418, "<html>I'm a teapot", "the answer is none that S3 gives", False),
    ],
)
def test_refusals_are_told_in_sentences(status: int, text: str, why: str, hopeless: bool) -> None:
    with service(lambda _method, _path: (status, text)) as server, pytest.raises(Unsaved) as error:
        put(at(server))
    assert why in str(error.value)
    assert error.value.hopeless is hopeless
    assert len(server.asked) == 1


def test_what_passes_is_asked_again_and_what_is_gone_is_told() -> None:
    answers = [(503, refusal("SlowDown")), (500, "")]
    with service(lambda _method, _path: answers.pop(0) if answers else (200, "")) as server:
        put(at(server))
        gone = server.url
    assert len(server.paths("PUT")) == 3
    with pytest.raises(Unsaved, match="the connection was refused"):
        put(Where(bucket="backups", endpoint=gone, region="x-y", keys=KEYS))


def test_a_proxy_is_asked_unless_it_is_not_to_be() -> None:
    with service() as proxy:
        env = {"HTTP_PROXY": proxy.url, "NO_PROXY": "elsewhere.example.com"}
        put(Where(bucket="kit", endpoint="http://s3.example.com", region="x-y", keys=KEYS), env)
        assert proxy.paths("PUT") == ["http://s3.example.com/kit/shop/ConfigMap/a.yaml"]
        with service() as server:
            put(at(server), {"HTTP_PROXY": proxy.url, "NO_PROXY": "127.0.0.1"})
            assert len(server.asked) == 1
        assert len(proxy.asked) == 1
