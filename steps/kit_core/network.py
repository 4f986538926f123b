# SPDX-License-Identifier: MIT
"""Networks as companies have them: proxies from the environment, and certificates of their own beside the system's."""

import ssl
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from kit_core.errors import InputError


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

    HTTP_PROXY in capitals is honoured, as by the other tools of this field, except in a CGI program.
    """
    parts = urllib.parse.urlsplit(url)
    variables = {name.lower(): value for name, value in env.items() if value and name.lower().endswith("_proxy")}
    if "REQUEST_METHOD" in env:
        variables.pop("http_proxy", None)
    proxy = variables.get(f"{parts.scheme}_proxy") or variables.get("all_proxy")
    if not proxy or not parts.hostname:
        return None
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    exceptions = {"no": variables.get("no_proxy", "")}
    if urllib.request.proxy_bypass_environment(host, exceptions):  # type: ignore[attr-defined]
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
