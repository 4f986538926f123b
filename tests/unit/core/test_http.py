# SPDX-License-Identifier: MIT
"""Requests to services of others: what is shown of an address, what is followed, what is read, what is said."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import urllib3

from kit_core import http
from kit_core.network import tls_context
from tests.serving import Handler, serving

TLS = tls_context(None)


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server on this machine that gives the same answer to everybody, and the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Answer(Handler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return

    with serving(Answer) as port:
        yield f"http://127.0.0.1:{port}", asked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.example.com/services/T0/B0/canary", "https://hooks.example.com"),
        ("https://user:canary@example.com:8443/x?token=canary#canary", "https://example.com:8443"),
        ("http://[2001:db8::1]:8080/canary", "http://[2001:db8::1]:8080"),
    ],
)
def test_only_scheme_host_and_port_are_shown(url: str, shown: str) -> None:
    assert http.shown(url) == shown


def test_what_is_secret_of_an_address() -> None:
    url = "https://u:canary%2Fpassword@example.com/services/T0?key=canary-key"
    assert set(http.secrets_in(url)) == {"services/T0", "key=canary-key", "canary/password"}
    assert list(http.secrets_in("https://example.com/a")) == []


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "https://", "https://x:port", "https://[x"])
def test_what_is_no_address(url: str) -> None:
    assert not http.is_address(url)
    assert http.is_address("https://example.com:8443/x")


def test_a_login_leaves_the_address_and_becomes_a_header() -> None:
    bare, headers = http.without_login("https://kit:p%40ss@example.com:1/x")
    assert bare == "https://example.com:1/x"
    assert headers == {"authorization": "Basic a2l0OnBAc3M="}
    assert http.without_login("https://example.com/x") == ("https://example.com/x", {})


def test_a_redirect_is_an_answer_and_a_failing_server_is_asked_as_often_as_said() -> None:
    with answering(302, b"", Location="http://127.0.0.1:1/") as (url, _):
        answer = http.pool_for(url, {}, tls=TLS, limits=http.Limits(again=2)).request("GET", url)
        assert answer.status == 302
    for again, count in ((0, 1), (1, 2)):
        with answering(503, b"") as (url, asked):
            answer = http.pool_for(url, {}, tls=TLS, limits=http.Limits(again=again)).request("GET", url)
            assert (answer.status, len(asked)) == (503, count)


def test_no_more_is_read_than_wanted() -> None:
    with answering(200, b"x" * 10_000_000) as (url, _):
        pool = http.pool_for(url, {}, tls=TLS, limits=http.Limits())
        assert http.beginning(pool.request("GET", url, preload_content=False), 10) == b"x" * 10
    with answering(200, b"short") as (url, _):
        pool = http.pool_for(url, {}, tls=TLS, limits=http.Limits())
        assert http.beginning(pool.request("GET", url, preload_content=False), 10) == b"short"


def test_a_proxy_with_a_password_is_asked_and_none_where_the_way_is_direct() -> None:
    with answering(200, b"by proxy") as (url, asked):
        env = {"HTTP_PROXY": url.replace("://", "://kit:canary@")}
        pool = http.pool_for("http://elsewhere.example.com/a", env, tls=TLS, limits=http.Limits())
        assert pool.request("GET", "http://elsewhere.example.com/a").data == b"by proxy"
        assert asked[0]["path"] == "http://elsewhere.example.com/a"
        assert asked[0]["proxy-authorization"] == "Basic a2l0OmNhbmFyeQ=="
        direct = http.pool_for(url, None, tls=TLS, limits=http.Limits())
        assert not isinstance(direct, urllib3.ProxyManager)
        excepted = http.pool_for(url, {**env, "NO_PROXY": "127.0.0.1"}, tls=TLS, limits=http.Limits())
        assert not isinstance(excepted, urllib3.ProxyManager)


def test_causes_in_words_without_the_address() -> None:
    pool = http.pool_for("http://127.0.0.1:1", {}, tls=TLS, limits=http.Limits())
    with pytest.raises(urllib3.exceptions.HTTPError) as error:
        pool.request("GET", "http://127.0.0.1:1/canary")
    assert http.cause(error.value) == "the connection was refused, or its name is not known"
    with answering(200, b"no TLS here") as (url, _):
        https = url.replace("http:", "https:")
        pool = http.pool_for(https, {}, tls=ssl.create_default_context(), limits=http.Limits())
        with pytest.raises(urllib3.exceptions.HTTPError) as error:
            pool.request("GET", f"{https}/canary")
    said = http.cause(error.value)
    assert said.startswith("its certificate or its TLS is not accepted")
    assert "canary" not in said
