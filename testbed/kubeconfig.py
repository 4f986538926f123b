# SPDX-License-Identifier: MIT
"""The text of a kubeconfig, as a person would have it in a file. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Credentials:
    """What opens an API server.

    The authority's certificate, and a client's certificate and key, each base64-encoded PEM.
    """

    authority: str
    certificate: str
    key: str


def kubeconfig(
    cluster: str,
    server: str,
    credentials: Credentials,
    *,
    name: str | None = None,
    namespace: str | None = None,
    labels: dict[str, str] | None = None,
    token: str | None = None,
) -> str:
    """Write a kubeconfig for one cluster and one user.

    With `name` it gets a `metadata.name` (and `labels`), as kit's deployer reads it; with `namespace` the context
    names it. With `token` the user is whom that token is for, else the one with the certificate.
    """
    user = (
        [f"      token: {token}"]
        if token
        else [f"      client-certificate-data: {credentials.certificate}", f"      client-key-data: {credentials.key}"]
    )
    lines = ["apiVersion: v1", "kind: Config"]
    if name:
        lines += ["metadata:", f"  name: {name}"]
        if labels:
            lines += ["  labels:", *(f'    {key}: "{value}"' for key, value in labels.items())]
    lines += [
        "clusters:",
        f"  - name: {cluster}",
        "    cluster:",
        f"      server: {server}",
        f"      certificate-authority-data: {credentials.authority}",
        "users:",
        "  - name: admin",
        "    user:",
        *user,
        "contexts:",
        f"  - name: {cluster}",
        "    context:",
        f"      cluster: {cluster}",
        "      user: admin",
        *([f"      namespace: {namespace}"] if namespace else []),
        f"current-context: {cluster}",
    ]
    return "\n".join(lines) + "\n"
