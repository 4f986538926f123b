# SPDX-License-Identifier: MIT
"""Networks as companies have them: proxies from the environment, and certificates of their own beside the system's."""

import contextlib
import ipaddress
import re
import ssl
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kit_core.errors import InputError

_SEPARATOR: Final = re.compile(r"[,\s]+")


def tls_context(ca_cert: Path | None) -> ssl.SSLContext:
    """Verifies against the system's certificates and those in `ca_cert` (a PEM file). Raises `InputError`."""
    context = ssl.create_default_context()
    if ca_cert is not None:
        try:
            context.load_verify_locations(cafile=str(ca_cert))
        except OSError as error:  # ssl.SSLError is one
            raise InputError(
                "The CA certificates cannot be read",
                where=str(ca_cert),
                why=error.strerror or str(error),
                hint="KIT_CA_CERT must name a file of PEM certificates.",
            ) from None
    return context


def proxy_for(url: str, env: Mapping[str, str]) -> str | None:
    """The proxy that `env` prescribes for `url` (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY; either case), or None.

    NO_PROXY names hosts, domains (`example.com`, `.example.com` and `*.example.com` are the same, and include what is
    below them), addresses and networks (`10.0.0.0/8`), the former also with a port; `*` is everything. HTTP_PROXY in
    capitals is honoured, as by the other tools of this field, except in a CGI program.
    """
    parts = urllib.parse.urlsplit(url)
    variables = {name.lower(): value for name, value in env.items() if value and name.lower().endswith("_proxy")}
    if "REQUEST_METHOD" in env:
        variables.pop("http_proxy", None)
    proxy = variables.get(f"{parts.scheme}_proxy") or variables.get("all_proxy")
    if not proxy or not parts.hostname:
        return None
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    if any(_means(entry, parts.hostname, port) for entry in _SEPARATOR.split(variables.get("no_proxy", "").lower())):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _means(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY means this host (in small letters, as `urlsplit` gives it)."""
    if entry == "*":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    name, _, wanted = entry.partition(":")
    name = name.removeprefix("*").lstrip(".")
    return bool(name) and wanted in {"", str(port)} and f".{host}".endswith(f".{name}")
