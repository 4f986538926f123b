# SPDX-License-Identifier: MIT
"""What a kubeconfig's entries say of certificates, and of the header that says who we are.

Read here, since all of it is a few keys: the kubernetes client's loader takes half a second and 40 MB to import, which
is more than everything else a run does where nothing changed. It is asked only for an `auth-provider`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit_deployer.objects import Json


@dataclass(frozen=True)
class Login:
    """Paths of certificates (None: there is none), and the `Authorization` header where it is no bearer token."""

    authority: str | None
    certificate: str | None
    key: str | None
    authorization: str | None


def read_login(cluster: Json, user: Json, folder: Path) -> Login:
    """The login of a cluster and a user entry whose paths are relative to `folder`.

    Raises `ValueError` for an auth provider that has no token for us.
    """

    def path(entry: Json, name: str) -> str | None:
        return str(folder / str(entry[name])) if entry.get(name) else None

    return Login(
        authority=path(cluster, "certificate-authority"),
        certificate=path(user, "client-certificate"),
        key=path(user, "client-key"),
        authorization=_authorization(cluster, user, folder),
    )


def _authorization(cluster: Json, user: Json, folder: Path) -> str | None:
    import urllib3

    if user.get("token"):
        return None
    if user.get("auth-provider"):
        return _asked(cluster, user, folder)
    if user.get("username") and user.get("password"):
        headers = urllib3.util.make_headers(basic_auth=f"{user['username']}:{user['password']}")
        return str(headers["authorization"])
    return None


def _asked(cluster: Json, user: Json, folder: Path) -> str | None:
    """What the kubernetes client makes of an auth provider (OIDC with its refresh, above all)."""
    from kubernetes.client import Configuration
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader

    name = "kit"
    config = {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
    }
    configuration: Any = Configuration()
    try:
        KubeConfigLoader(config_dict=config, config_base_path=str(folder)).load_and_set(configuration)
    except (ConfigException, TypeError) as error:
        raise ValueError(str(error)) from error
    found = configuration.api_key.get("authorization")
    return str(found) if found else None
