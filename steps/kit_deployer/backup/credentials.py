# SPDX-License-Identifier: MIT
"""As whom the bucket is written: where AWS' own tools look for credentials, in their order.

What is set first is taken, and nothing else is tried when it fails: a run must not go on as somebody else. Not read are
profiles that name a role, a program or a single sign-on, since that takes more than the library knows.
"""

import configparser
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kit_core import http
from kit_core.secrets import Secret

if TYPE_CHECKING:
    from minio.credentials.credentials import Credentials
    from minio.credentials.providers import Provider
    from urllib3 import PoolManager

_CONTAINER_HOST: Final = "http://169.254.170.2"
_INSTANCE_HOST: Final = "http://169.254.169.254"


class NoCredentials(Exception):
    """Nobody knows as whom to write. The message is a sentence for people."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Credentials that were given as settings."""

    access_key: str | None = None
    secret_key: Secret | None = None
    session_token: Secret | None = None


def who(
    keys: Keys,
    env: Mapping[str, str],
    *,
    region: str | None,
    outside: Callable[[str], "PoolManager"],
    nearby: "PoolManager",
    secret_found: Callable[[str], None],
) -> "Provider":
    """Whoever knows the credentials. `outside` makes connections to an address, `nearby` are those to this machine.

    Raises `NoCredentials` where what is set cannot be read, and so does what it returns where it is told nothing.
    """
    from minio.credentials.providers import Provider

    found = _provider(keys, env, region=region, outside=outside, nearby=nearby, secret_found=secret_found)

    class Told(Provider):
        """The same, with sentences instead of what the library raises for answers of any kind."""

        def retrieve(self) -> "Credentials":
            """The keys."""
            import urllib3

            try:
                return found.retrieve()
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise NoCredentials(f"no credentials: {_asked(found)}: {http.cause(error)}") from None
            except (ValueError, LookupError, TypeError, AttributeError, SyntaxError) as error:
                # Addresses of requests hold the token that was sent.
                why = re.sub(r"\?\S*", "", " ".join(str(error).split()))[:200]
                raise NoCredentials(f"no credentials: {_asked(found)}: {why or type(error).__name__}") from None

    return Told()


def _asked(provider: "Provider") -> str:
    names = {"WebIdentityProvider": "the role (AWS_ROLE_ARN)", "OfContainer": "the container's host"}
    return names.get(type(provider).__name__, "neither a key nor a role nor a profile is set, and the machine's host")


def _provider(
    keys: Keys,
    env: Mapping[str, str],
    *,
    region: str | None,
    outside: Callable[[str], "PoolManager"],
    nearby: "PoolManager",
    secret_found: Callable[[str], None],
) -> "Provider":
    from minio.credentials.providers import IamAwsProvider, StaticProvider

    if keys.access_key and keys.secret_key:
        token = keys.session_token.reveal() if keys.session_token else None
        return StaticProvider(keys.access_key, keys.secret_key.reveal(), token)
    if env.get("AWS_WEB_IDENTITY_TOKEN_FILE") and env.get("AWS_ROLE_ARN"):
        return _web_identity(env, region, outside, secret_found)
    if found := _from_profile(env):
        secret_found(found[1])
        return StaticProvider(*found)
    if container := _container(env):
        return _of_container(container, env, nearby, secret_found)
    if env.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise NoCredentials(
            "no credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor a role or a profile is set"
        )
    endpoint = env.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", _INSTANCE_HOST).rstrip("/")
    return IamAwsProvider(custom_endpoint=endpoint, http_client=nearby)


def _web_identity(
    env: Mapping[str, str],
    region: str | None,
    outside: Callable[[str], "PoolManager"],
    secret_found: Callable[[str], None],
) -> "Provider":
    """The role of a service account, or of a CI's job: a token in a file is changed for keys, anew when they end."""
    from minio.credentials.providers import WebIdentityProvider

    domain = "amazonaws.com.cn" if (region or "").startswith("cn-") else "amazonaws.com"
    usual = f"https://sts.{region}.{domain}" if region else f"https://sts.{domain}"
    endpoint = env.get("AWS_ENDPOINT_URL_STS") or usual
    file = Path(env["AWS_WEB_IDENTITY_TOKEN_FILE"])

    def token() -> dict[str, str]:
        try:
            text = file.read_text().strip()
        except (OSError, ValueError):
            raise NoCredentials(f"the token file {file} (AWS_WEB_IDENTITY_TOKEN_FILE) cannot be read") from None
        secret_found(text)  # the library puts it into an address, and addresses into messages
        return {"access_token": text, "expires_in": "0"}

    return WebIdentityProvider(
        jwt_provider_func=token,
        sts_endpoint=endpoint,
        role_arn=env["AWS_ROLE_ARN"],
        role_session_name=env.get("AWS_ROLE_SESSION_NAME") or "kit-deployer",
        http_client=outside(endpoint),
    )


def _from_profile(env: Mapping[str, str]) -> tuple[str, str, str | None] | None:
    """Key, secret key and token of a profile; a profile that was asked for by name must be there."""
    home = Path(env.get("HOME") or "/")
    credentials = Path(env.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws/credentials")
    config = Path(env.get("AWS_CONFIG_FILE") or home / ".aws/config")
    profile = env.get("AWS_PROFILE") or "default"
    for file, section in ((credentials, profile), (config, profile if profile == "default" else f"profile {profile}")):
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(file.read_text())
        except FileNotFoundError:
            continue
        except (OSError, ValueError, configparser.Error):
            # Not with the parser's words: they quote the line.
            raise NoCredentials(f"{file} cannot be read as a file of AWS profiles") from None
        key = parser.get(section, "aws_access_key_id", fallback=None)
        secret = parser.get(section, "aws_secret_access_key", fallback=None)
        if key and secret:
            return key, secret, parser.get(section, "aws_session_token", fallback=None)
    if env.get("AWS_PROFILE"):
        raise NoCredentials(
            f"the profile {profile} (AWS_PROFILE) has no aws_access_key_id and aws_secret_access_key in {credentials}"
            f" or {config}; profiles that name a role, a program or a single sign-on are not read"
        )
    return None


def _container(env: Mapping[str, str]) -> str | None:
    """Where a container's credentials are: ECS names a path of its own host, EKS' pod identity an address."""
    if path := env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        return f"{_CONTAINER_HOST}/{path.lstrip('/')}"
    return env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") or None


def _of_container(
    url: str, env: Mapping[str, str], pool: "PoolManager", secret_found: Callable[[str], None]
) -> "Provider":
    """Asks the container's own host. The library would read the process' environment; ours is handed in."""
    from minio.credentials.providers import IamAwsProvider

    def headers() -> dict[str, str | list[str] | tuple[str]]:
        token = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        if file := env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
            try:
                token = Path(file).read_text().strip()
            except (OSError, ValueError):
                why = f"the token file {file} (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE) cannot be read"
                raise NoCredentials(why) from None
        if token:
            secret_found(token)
        return {"Authorization": token} if token else {}

    class OfContainer(IamAwsProvider):
        """See the function."""

        def retrieve(self) -> "Credentials":
            """The keys, anew when they end."""
            if self._credentials is None or self._credentials.is_expired():
                self._credentials = self.fetch(url, headers=headers())
            return self._credentials

    return OfContainer(http_client=pool)
