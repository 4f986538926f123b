# SPDX-License-Identifier: MIT
"""The base image of every build: `debian:trixie-slim`, or a stand-in made from Debian packages where no image
registry answers.

The stand-in carries what this machine needs to reach its package registries (its certificates, apt's settings, pip's
certificate file), so that apt, pip and the Go proxy work inside `docker build` as they do outside. It stays on this
machine.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from testbed.docker import Progress, docker, ensure_engine
from testbed.errors import TestbedError
from testbed.lock import one_at_a_time

PUBLISHED = "debian:trixie-slim"
STAND_IN = "kit-testbed-base:trixie"
_MACHINE_LABEL = "kit.testbed.machine"
_SUITE = "trixie"

_PASSED_ON = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST",
)  # fmt: skip
"""Variables by which a machine says how its package registries are reached."""

# As Debian's own slim image: no documentation, no translations.
_SLIM = """path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
"""


def build_arguments(env: Mapping[str, str] = os.environ) -> list[str]:
    """Options for `docker build` that hand this machine's registry settings to the build.

    They go by name: the values stay in the environment.
    """
    return [part for name in _PASSED_ON if env.get(name) for part in ("--build-arg", name)]


def ensure_base(progress: Progress = print, env: Mapping[str, str] = os.environ) -> str:
    """Return the image reference to build on (`--build-arg BASE=...`), pulled or made if it is not here yet.

    `KIT_BASE_IMAGE` names another one. Raises TestbedError where neither a pull nor a stand-in is possible.
    """
    ensure_engine(progress, env)
    if wanted := env.get("KIT_BASE_IMAGE"):
        return wanted
    if _is_here(PUBLISHED):
        return PUBLISHED
    machine = _machine_digest()
    if _made_for() == machine:
        return STAND_IN
    pull = docker("pull", "--quiet", PUBLISHED, check=False, timeout=300)
    if pull.returncode == 0:
        return PUBLISHED
    with one_at_a_time("kit-base-image", progress):
        if _made_for() != machine:
            _make_stand_in(machine, progress, why=pull.stderr.strip())
    return STAND_IN


def _made_for() -> str:
    """The digest of the machine settings that the stand-in here carries, or nothing."""
    label = '{{index .Config.Labels "' + _MACHINE_LABEL + '"}}'
    return docker("image", "inspect", "--format", label, STAND_IN, check=False).stdout.strip()


def _is_here(reference: str) -> bool:
    return docker("image", "inspect", reference, check=False).returncode == 0


def _make_stand_in(machine: str, progress: Progress, *, why: str) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise TestbedError(
            f"{PUBLISHED} cannot be pulled ({why or 'no reason given'}), and a stand-in is made only as root on "
            "Debian; "
            "make an image registry reachable, or name a base image of your own in KIT_BASE_IMAGE"
        )
    if not shutil.which("debootstrap"):
        _quiet(["apt-get", "update", "-qq"])
        _quiet(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap"])
    progress(f"base image: no registry answers; making {STAND_IN} from Debian packages (half a minute)")
    # Not in /tmp: where that is a file system without devices, programs in the new root find no /dev/null.
    with tempfile.TemporaryDirectory(prefix="kit-base-", dir="/var/tmp") as folder:
        root = Path(folder) / "root"
        mirror, security = _mirrors()
        _quiet(["debootstrap", "--variant=minbase", "--include=ca-certificates", _SUITE, str(root), mirror])
        _settle(root, mirror, security)
        docker("image", "rm", "--no-prune", STAND_IN, check=False)
        _import(root, machine)
    progress(f"base image: {STAND_IN} is ready")


def _settle(root: Path, mirror: str, security: str | None) -> None:
    """Bring in the machine's registry settings, and leave out what a slim image leaves out."""
    sources = [f"deb {mirror} {_SUITE} main", f"deb {mirror} {_SUITE}-updates main"]
    if security:
        sources.append(f"deb {security} {_SUITE}-security main")
    (root / "etc/apt/sources.list").write_text("\n".join(sources) + "\n")
    (root / "etc/apt/apt.conf.d/90machine").write_text(_apt_settings())
    (root / "etc/dpkg/dpkg.cfg.d").mkdir(exist_ok=True)
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(_SLIM)
    for name in ("usr/share/locale", "usr/share/man", "usr/share/info", "var/lib/apt/lists", "var/cache/apt"):
        for entry in (root / name).glob("*"):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for entry in root.glob("usr/share/doc/*/*"):
        if entry.name != "copyright":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for entry in root.glob("var/log/**/*"):
        if entry.is_file():
            entry.unlink()
    for name in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc/hostname").unlink(missing_ok=True)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    _bring_certificates(root)


def _bring_certificates(root: Path) -> None:
    """Bring in the certificates that this machine trusts.

    Its own authorities go where `update-ca-certificates` finds them again, the bundle itself as it stands here.
    """
    for certificate in Path("/usr/local/share/ca-certificates").glob("**/*.crt"):
        shutil.copy(certificate, root / "usr/local/share/ca-certificates" / certificate.name)
    _quiet(["chroot", str(root), "update-ca-certificates"])
    if bundle := _bundle():
        shutil.copy(bundle, root / "etc/ssl/certs/ca-certificates.crt")
    (root / "etc/pip.conf").write_text("[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n")


def _import(root: Path, machine: str) -> None:
    changes = ['CMD ["bash"]', f"LABEL {_MACHINE_LABEL}={machine}"]
    options = [part for change in changes for part in ("--change", change)]
    command = ["docker", "import", *options, "-", STAND_IN]
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as tar:
        done = subprocess.run(command, stdin=tar.stdout, capture_output=True, text=True, check=False)
    if tar.returncode or done.returncode:
        raise TestbedError(f"the stand-in base image could not be imported into Docker: {done.stderr.strip()}")


def _bundle() -> Path | None:
    for name in (os.environ.get("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt"):
        if name and Path(name).is_file():
            return Path(name)
    return None


def _apt_settings() -> str:
    """apt's proxies and validity checks as they are set on this machine."""
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False)
    wanted = re.compile(r"^Acquire::(https?::|Check-|Retries|ForceIPv)", re.IGNORECASE)
    own = re.compile(r"^Acquire::https?::(Proxy-Auto-Detect|.*AuthFile)", re.IGNORECASE)
    lines = [line for line in done.stdout.splitlines() if wanted.match(line) and not own.match(line)]
    return "\n".join(lines) + "\n"


def _mirrors() -> tuple[str, str | None]:
    """The Debian mirror and the security mirror that this machine's apt uses."""
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    return find_mirrors("\n\n".join(path.read_text(errors="replace") for path in files if path.is_file()
                                    and path.suffix in {".list", ".sources"}))  # fmt: skip


def find_mirrors(sources: str) -> tuple[str, str | None]:
    """Find the Debian mirror and the security mirror in the text of apt's sources, in both formats.

    Raises TestbedError where there is none.
    """
    found: dict[str, str] = {}
    pairs = [(m[1], m[2]) for m in re.finditer(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", sources, re.MULTILINE)]
    for stanza in re.split(r"\n\s*\n", sources):
        fields = dict(re.findall(r"^([\w-]+):\s*(.+)$", stanza, re.MULTILINE))
        if "deb" in fields.get("Types", "").split():
            pairs += [
                (uri, suite) for uri in fields.get("URIs", "").split() for suite in fields.get("Suites", "").split()
            ]
    for uri, suite in pairs:
        if re.fullmatch(r"(bullseye|bookworm|trixie|forky|sid|stable|testing)(-security)?", suite):
            found.setdefault("security" if suite.endswith("-security") else "main", uri.rstrip("/"))
    if "main" not in found:
        raise TestbedError("no Debian mirror stands in this machine's apt sources; name a base image in KIT_BASE_IMAGE")
    return found["main"], found.get("security")


def _machine_digest() -> str:
    """A short digest of the settings that the stand-in carries: another one means that it has to be made anew."""
    digest = hashlib.sha256(_SUITE.encode())
    bundle = _bundle()
    digest.update(bundle.read_bytes() if bundle else b"")
    if shutil.which("apt-config"):
        digest.update(_apt_settings().encode())
    return digest.hexdigest()[:16]


def _quiet(command: list[str]) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        said = "\n".join("  " + line for line in (done.stdout + done.stderr).strip().splitlines()[-12:])
        raise TestbedError(f"`{' '.join(command)}` failed with exit code {done.returncode}:\n{said}")
