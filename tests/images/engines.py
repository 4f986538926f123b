# SPDX-License-Identifier: MIT
"""The engine behind a port that wants certificates, as CI services give it to their jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from testbed.docker import docker
from tests.images.pipelines import SOCKET
from tests.images.running import Image, eventually

_FORWARD = """
import socket, ssl, threading
tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile="/papers/ca.pem")
tls.verify_mode = ssl.CERT_REQUIRED
tls.load_cert_chain("/papers/cert.pem", "/papers/key.pem")
door = socket.create_server(("127.0.0.1", 2376))
print("open", flush=True)
def pass_on(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
def serve(plain):
    try:
        caller = tls.wrap_socket(plain, server_side=True)
    except OSError:
        return
    engine = socket.socket(socket.AF_UNIX)
    engine.connect("/var/run/docker.sock")
    threading.Thread(target=pass_on, args=(engine, caller), daemon=True).start()
    pass_on(caller, engine)
while True:
    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()
"""


def guarded_engine(image: Image, papers: str) -> tuple[str, ...]:
    """Start it with the certificates of this folder; options of `docker run` by which a container reaches it."""
    name = image.start(
        "-c", _FORWARD, options=("--entrypoint", "/usr/bin/python3", *SOCKET, "-v", f"{papers}:/papers:ro")
    )
    eventually(lambda: "open" in docker("logs", name).stdout, "the port", otherwise=lambda: docker("logs", name).stderr)
    told = {"DOCKER_HOST": "tcp://localhost:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}
    variables = [part for item in told.items() for part in ("-e", "=".join(item))]
    return ("--network", f"container:{name}", *variables)


def papers() -> dict[str, str]:
    """The files of a DOCKER_CERT_PATH: a certificate for both sides that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    public = key.public_key()
    begin, end = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    certificate = (
        x509.CertificateBuilder(name, name, public, x509.random_serial_number(), begin, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, form, plain).decode()
    return {"ca.pem": pem, "cert.pem": pem, "key.pem": secret}
