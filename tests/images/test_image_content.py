# SPDX-License-Identifier: MIT
"""What is in an image, what is not, and what it says of itself."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from images.build import IMAGES, ROOT, measure, too_large
from images.contents import components
from kit_core.version import VERSION
from testbed.docker import docker
from tests.images.running import Image

LABELS = ("title", "description", "source", "revision", "version", "created", "licenses", "base.name", "base.digest")


def facts(image: Image) -> dict[str, object]:
    config = json.loads(docker("image", "inspect", image.reference).stdout)[0]["Config"]
    assert isinstance(config, dict)
    return config


def test_labels_say_what_it_is_and_where_it_comes_from(image: Image) -> None:
    labels = facts(image)["Labels"]
    assert isinstance(labels, dict)
    own = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    assert [name for name in LABELS if not own.get(name)] == []
    assert own["title"] == image.name
    assert own["version"] == VERSION
    assert own["licenses"] == "MIT"
    assert re.fullmatch(r"[0-9a-f]{40}(-modified)?|unknown", own["revision"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)|unknown", own["created"])
    assert own["base.digest"].startswith("sha256:")


def test_version_names_release_and_source_commit(image: Image) -> None:
    labels = facts(image)["Labels"]
    assert isinstance(labels, dict)
    commit = labels["org.opencontainers.image.revision"]
    assert image.run("--version").out == f"{image.name} {VERSION} (commit {commit})\n"


def test_an_init_is_process_one_and_nothing_checks_health(image: Image) -> None:
    config = facts(image)
    assert config["Entrypoint"] == ["/usr/bin/tini", "-s", "--", f"/usr/bin/{image.name}"]
    assert not config.get("Cmd")
    assert not config.get("Healthcheck")
    assert image.run("cat", "/proc/1/comm").out == "tini\n"


def test_every_tag_names_the_same_image(image: Image) -> None:
    wanted = [VERSION, VERSION.rpartition(".")[0], VERSION.partition(".")[0], "edge"]
    found = {docker("image", "inspect", "--format", "{{.Id}}", f"{image.name}:{tag}").stdout for tag in wanted}
    assert len(found) == 1


def test_it_is_slim(image: Image) -> None:
    allowed = next(item for item in IMAGES if item.name == image.name)
    size = measure(image.reference)
    assert not too_large(allowed, size), size


def test_what_builds_and_tests_it_is_not_in_it(image: Image) -> None:
    names = image.shell("find / -xdev").splitlines()
    unwanted = re.compile(
        r"(?<!lib)(?<!kit_image_deployer)/(gcc|cc|g\+\+|ld|make|pip3?|apt|apt-get|dpkg|bash|perl|git|curl)$"
        r"|/(pip|setuptools|wheel|pytest|ensurepip|idlelib|tests?|testing|gconv|rich|pydantic)/"
        r"|^/(images|packages|sources)/|\.(a|la|deb|whl)$|/libreadline|/man/|/locale/"
    )
    assert [name for name in names if unwanted.search(name) and not name.startswith(("/proc", "/sys", "/dev"))] == []


def test_nothing_runs_with_more_rights_than_its_user(image: Image) -> None:
    assert image.shell("find / -xdev -type f -perm /6000") == ""
    assert image.shell("find / -xdev ! -type l -perm -2 ! -type c") in {"/tmp\n/var/tmp\n", "/var/tmp\n/tmp\n"}


def test_scanners_find_the_packages(image: Image) -> None:
    found = {component.name: component for component in components(image.reference)}
    assert {"libc6", "libssl3t64", "busybox-static", "typer", "kit-deploy"} <= set(found)
    assert found["kit-deploy"].version == VERSION
    assert found["python3-cryptography"].kind == "deb"
    assert "cryptography" not in found, "it would be counted twice, once without Debian's fixes"
    debian = [component for component in found.values() if component.kind == "deb"]
    assert all(component.version and component.architecture for component in debian)
    missing = image.shell(
        "cd /var/lib/dpkg/status.d; for name in *; do [ -e /usr/share/doc/$name/copyright ] || echo $name; done"
    )
    assert set(missing.split()) <= {"libpython3.13-stdlib", "python3.13-minimal", "libgcc-s1", "libstdc++6"}, (
        "theirs are their base packages'"
    )


def test_every_module_is_compiled(image: Image) -> None:
    """Nobody could write what Python compiles when it starts, so it would be compiled anew in each run."""
    listing = image.shell("find /usr/lib/python3* -name '*.py'; find /usr/lib/python3* -name '*.pyc'").splitlines()
    sources = [name for name in listing if name.endswith(".py")]
    compiled = {
        re.sub(r"__pycache__/([^/]+)\.cpython-\d+\.pyc$", r"\1.py", name) for name in listing if name.endswith(".pyc")
    }
    assert len(sources) > 300
    assert [name for name in sources if name not in compiled] == []


IMPORT_ALL = """
import ast, importlib, pathlib, sys
wanted = set()
for package in sys.argv[1:]:
    for path in pathlib.Path("/usr/lib/python3/dist-packages", package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                wanted |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                wanted.add(node.module)
for name in sorted(wanted):
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(name, error)
"""


def test_whatever_our_code_imports_is_there(image: Image) -> None:
    """Much of it is imported where it is used, long after the start."""
    assert image.run("python3", "-c", IMPORT_ALL, "kit_core", image.package).text == ""


def test_what_comes_from_debians_packages_works(image: Image) -> None:
    """It is linked to the image's own libraries, and is put together by other hands than the rest."""
    script = (
        "import bcrypt; from cryptography.hazmat.primitives.ciphers.aead import AESGCM;"
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey;"
        "print(AESGCM(bytes(32)).decrypt(bytes(12), AESGCM(bytes(32)).encrypt(bytes(12), b'x', None), None));"
        "print(len(Ed25519PrivateKey.generate().sign(b'')), len(bcrypt.kdf(b'x', b'salt', 32, 16)))"
    )
    assert image.run("python3", "-c", script, options=("--user", "12345")).out == "b'x'\n64 32\n"


def test_certificates_are_checked_against_debians_authorities(image: Image) -> None:
    script = (
        "import ssl; c = ssl.create_default_context();"
        "print(len(c.get_ca_certs()), c.verify_mode.name, c.check_hostname);"
        "print(ssl.get_default_verify_paths().cafile)"
    )
    first, second = image.run("python3", "-c", script).out.splitlines()
    count, mode, hostname = first.split()
    assert int(count) > 100
    assert (mode, hostname) == ("CERT_REQUIRED", "True")
    assert image.run("readlink", "-f", second).out == "/etc/ssl/certs/ca-certificates.crt\n"


def test_no_authority_of_the_building_machine_is_trusted(image: Image) -> None:
    """A company's own authorities are in its base images, and must not get into an image for others."""
    shipped = set(authorities(image.run("cat", "/etc/ssl/certs/ca-certificates.crt").out))
    published = {
        pem for path in Path("/usr/share/ca-certificates").glob("**/*.crt") for pem in authorities(path.read_text())
    }
    own = Path("/usr/local/share/ca-certificates").glob("**/*.crt")
    bundle = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))
    of_machine = {
        pem for path in (*own, bundle) if path.is_file() for pem in authorities(path.read_text(errors="replace"))
    }
    assert not (of_machine - published) & shipped or not published
    assert len(shipped) > 100


def authorities(text: str) -> list[str]:
    return ["".join(pem.split()) for pem in re.findall("-----BEGIN CERTIFICATE-----(.*?)-----END", text, re.DOTALL)]


@pytest.mark.parametrize("name", [image.name for image in IMAGES])
def test_the_recipe_is_one(name: str) -> None:
    """The Dockerfiles are the same but for what the first lines say and for the program's name."""
    assert body(name) == body(IMAGES[0].name)


def body(name: str) -> list[str]:
    lines = (
        (ROOT / "images" / name / "Dockerfile").read_text().replace(f"/usr/bin/{name}", "/usr/bin/IMAGE").splitlines()
    )
    return lines[lines.index("") :]
