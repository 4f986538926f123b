# SPDX-License-Identifier: MIT
"""The bucket: puts an object there, encrypted at rest, or says in a sentence why not."""

import io
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from kit_core import http
from kit_core.errors import InputError
from kit_core.network import tls_context
from kit_deployer.backup.copies import Copy
from kit_deployer.backup.credentials import Keys, NoCredentials, who

if TYPE_CHECKING:
    from minio import Minio
    from urllib3 import PoolManager

Encryption = Literal["AES256", "aws:kms", "none"]

AWS: Final = "https://s3.amazonaws.com"
ENCRYPTED: Final = "x-amz-server-side-encryption"

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_LIMITS: Final = http.Limits(connect=5.0, read=20.0, again=2)
_NEARBY: Final = http.Limits(connect=1.0, read=5.0, again=1)
"""A machine's or container's own host answers at once or does not exist."""

_HINTS: Final[Mapping[str, str]] = {
    "NoSuchBucket": "the bucket does not exist",
    "AccessDenied": "these credentials may not write there (s3:PutObject is what it takes)",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
    "InvalidAccessKeyId": "AWS_ACCESS_KEY_ID is not known there",
    "ExpiredToken": "the session token has expired",
    "NotImplemented": "it does not know the encryption that was asked for (KIT_BACKUP_ENCRYPTION=none asks for none)",
    "AuthorizationHeaderMalformed": "AWS_REGION is another one than the bucket's",
    "PermanentRedirect": "AWS_REGION is another one than the bucket's",
}


@dataclass(frozen=True, kw_only=True)
class Where:
    """Which bucket, and how to write to it. `endpoint` is that of another service than AWS."""

    bucket: str
    endpoint: str | None = None
    region: str | None = None
    encryption: Encryption = "AES256"
    keys: Keys = field(default_factory=Keys)

    def check(self) -> None:
        """Raises `InputError` for what can never work."""
        if not _BUCKET.fullmatch(self.bucket):
            raise _wrong(
                f"AWS_BUCKET={self.bucket!r} is no name of a bucket",
                "A name has 3 to 63 small letters, digits, dots and hyphens.",
            )
        if bool(self.keys.access_key) != bool(self.keys.secret_key):
            there, missing = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
            if self.keys.secret_key:
                there, missing = missing, there
            raise _wrong(f"{there} is set without {missing}", "Set both, or neither to use a role or a profile.")
        if self.endpoint and not (http.is_address(self.endpoint) and _is_plain(self.endpoint)):
            raise _wrong(
                "AWS_ENDPOINT_URL is no http or https address of a host",
                "Write it as https://host or https://host:port, without a path.",
            )


class Unsaved(Exception):
    """An object is not in the bucket. The message says why; `hopeless` that it would be so for every other."""

    def __init__(self, why: str, *, hopeless: bool = False) -> None:
        super().__init__(why)
        self.hopeless = hopeless


class Bucket:
    """Writes to one bucket; from any thread."""

    def __init__(
        self,
        where: Where,
        *,
        env: Mapping[str, str],
        ca_cert: Path | None,
        secret_found: Callable[[str], None],
        connections: int = 4,
    ) -> None:
        """Raises `InputError`. Nobody is asked anything before the first object."""
        where.check()
        self._where = where
        self._env = env
        self._tls: ssl.SSLContext = tls_context(ca_cert)
        self._secret_found = secret_found
        self._connections = connections
        self._client: Minio | None = None
        self._sse: Any = None

    @property
    def shown(self) -> str:
        """The bucket, for people."""
        return f"s3://{self._where.bucket}"

    def put(self, copy: Copy) -> bool:
        """Write an object; whether the answer says that it is encrypted. Raises `Unsaved`."""
        import urllib3
        from minio.error import MinioException, S3Error

        data = copy.text.encode("utf-8", "backslashreplace")
        try:
            client = self._client or self._connect()
            done = client.put_object(
                self._where.bucket, copy.name, io.BytesIO(data), len(data), content_type=copy.type, sse=self._sse
            )
        except S3Error as error:
            why = _HINTS.get(error.code or "", error.message or "")
            raise Unsaved(f"{error.code}: {why}", hopeless=error.code in _HINTS) from None
        except NoCredentials as error:
            raise Unsaved(str(error), hopeless=True) from None
        except MinioException as error:
            raise Unsaved(f"the answer is none that S3 gives ({type(error).__name__})") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unsaved(f"{self._host}: {http.cause(error)}") from None
        except (ValueError, SyntaxError) as error:  # what the library, and its reader of XML, make of strange answers
            raise Unsaved(f"the answer is none that S3 gives ({type(error).__name__})") from None
        return bool(done.http_headers.get(ENCRYPTED))

    @property
    def _host(self) -> str:
        return http.shown(self._where.endpoint or AWS)

    def _connect(self) -> "Minio":
        from minio import Minio

        where = self._where
        endpoint = where.endpoint or AWS
        self._sse = _sse(where.encryption)
        nearby = http.pool_for(endpoint, None, tls=self._tls, limits=_NEARBY)
        self._client = Minio(
            endpoint.partition("://")[2].rstrip("/"),
            secure=endpoint.startswith("https://"),
            # Another service has one region, mostly, and what is signed has to name some.
            region=where.region or ("us-east-1" if where.endpoint else None),
            http_client=self._outside(endpoint),
            credentials=who(
                where.keys, self._env,
                region=where.region, outside=self._outside, nearby=nearby, secret_found=self._secret_found,
            ),
        )  # fmt: skip
        return self._client

    def _outside(self, url: str) -> "PoolManager":
        return http.pool_for(url, self._env, tls=self._tls, limits=_LIMITS, connections=self._connections)


def _sse(encryption: Encryption) -> Any:
    """What asks the server to encrypt; the library's own class for KMS wants a key, where a bucket has one already."""
    if encryption == "none":
        return None
    from minio.sse import Sse

    class Asked(Sse):
        """The header alone."""

        def headers(self) -> dict[str, str]:
            """As S3 names it."""
            return {ENCRYPTED: encryption}

        def tls_required(self) -> bool:
            """No key goes over the wire."""
            return False

    return Asked()


def _is_plain(endpoint: str) -> bool:
    rest = endpoint.partition("://")[2].rstrip("/")
    return not any(sign in rest for sign in "/?#@")


def _wrong(why: str, hint: str) -> InputError:
    return InputError("The settings are wrong", why=why, hint=f"{hint} Nothing was touched.")
