# SPDX-License-Identifier: MIT
"""As whom copies are written to a bucket."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from kit_core.secrets import Masker
from kit_deployer.backup.bucket import Unsaved
from kit_deployer.backup.credentials import Keys
from tests.unit.deployer.storage import at, put, service


def handed_out(action: str) -> str:
    return (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>'
        "<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>"
        "<SessionToken>role-session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        f"</{action}Result></{action}Response>"
    )


DOCUMENT = json.dumps(
    {
        "Code": "Success",
        "AccessKeyId": "ASIAHOST",
        "SecretAccessKey": "host-secret",
        "Token": "host-session",
        "Expiration": "2099-01-01T00:00:00Z",
    }
)


def test_a_role_by_web_identity(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("canary-identity-token\n")
    masker = Masker()
    with service() as server, service(lambda *_: (200, handed_out("AssumeRoleWithWebIdentity"))) as sts:
        env = {
            "AWS_ROLE_ARN": "arn:aws:iam::1:role/kit",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_ENDPOINT_URL_STS": sts.url,
        }
        put(at(server, keys=Keys()), env, masker)
        asked = parse_qs(urlsplit(sts.paths("POST")[0]).query)
        assert asked["RoleArn"] == ["arn:aws:iam::1:role/kit"]
        assert asked["WebIdentityToken"] == ["canary-identity-token"]
        assert asked["RoleSessionName"] == ["kit-deployer"]
        sent = server.asked[0][2]
        assert "ASIAROLE" in sent["authorization"]
        assert sent["x-amz-security-token"] == "role-session"
        # One that is refused is no other identity's turn; and the library's words would hold the token.
        sts.answer = lambda *_: (403, "")
        with pytest.raises(Unsaved, match=r"no credentials: the role \(AWS_ROLE_ARN\): .* status code 403") as error:
            put(at(server, keys=Keys()), env, masker)
        assert error.value.hopeless
        assert "canary" not in str(error.value)
        token.unlink()
        with pytest.raises(Unsaved, match=r"the token file .* cannot be read"):
            put(at(server, keys=Keys()), env, masker)
        assert len(server.asked) == 1


def test_a_profile(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = canary%secret\n"
    )
    (tmp_path / ".aws/config").write_text(
        "[profile backup]\naws_access_key_id=AKIACONF\naws_secret_access_key=x\n[profile sso]\nsso_session=a\n"
    )
    masker = Masker()
    with service() as server:
        home = {"HOME": str(tmp_path)}
        put(at(server, keys=Keys()), home, masker)
        put(at(server, keys=Keys()), {**home, "AWS_PROFILE": "backup"}, masker)
        with pytest.raises(Unsaved, match=r"the profile sso .* are not read"):
            put(at(server, keys=Keys()), {**home, "AWS_PROFILE": "sso"}, masker)
        (tmp_path / ".aws/credentials").write_text("canary no section\n")
        with pytest.raises(Unsaved, match="cannot be read as a file of AWS profiles") as error:
            put(at(server, keys=Keys()), home, masker)
        assert "canary" not in str(error.value)
    asked = [headers["authorization"] for _, _, headers in server.asked]
    assert ["AKIAFILE" in asked[0], "AKIACONF" in asked[1], len(asked)] == [True, True, 2]
    assert masker.mask("canary%secret") == "***"


def test_a_containers_and_a_machines_credentials_are_asked_for_directly(tmp_path: Path) -> None:
    """No proxy stands between a machine and its own host, whatever the environment says of others."""
    (tmp_path / "token").write_text("pod-token")
    away = {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.2"}

    def machine(method: str, path: str) -> tuple[int, str]:
        if path.endswith("/api/token"):
            return (200, "imds-token") if method == "PUT" else (405, "")
        return 200, "kit-role" if path.endswith("/security-credentials/") else DOCUMENT

    with service(lambda *_: (200, DOCUMENT)) as host, service(machine) as imds, service() as server:
        local = {**away, "NO_PROXY": f"127.0.0.1:{server.port}"}
        env = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{host.url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        }
        put(at(server, keys=Keys()), {**local, **env})
        assert host.asked[0][2]["authorization"] == "pod-token"
        put(at(server, keys=Keys()), {**local, "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url})
        assert imds.paths("PUT") == ["/latest/api/token"]
        assert imds.asked[-1][2]["x-aws-ec2-metadata-token"] == "imds-token"
        assert [headers["x-amz-security-token"] for _, _, headers in server.asked] == ["host-session"] * 2
        with pytest.raises(Unsaved, match="nor a role or a profile is set"):
            put(at(server, keys=Keys()), {"AWS_EC2_METADATA_DISABLED": "true"})
