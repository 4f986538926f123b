# SPDX-License-Identifier: MIT
"""Which ssh servers are the ones they say they are: the keys that the settings name, and those of the large forges.

The forges' keys are in forges.known_hosts, with the pages where each publishes them: nobody has to look them up.
Where a forge changes a key, KIT_GIT_SSH_KNOWN_HOSTS adds the new one, and `@revoked` in it takes the old one away.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kit_core.errors import InputError, WorkError

if TYPE_CHECKING:
    import asyncssh

FORGES: Final = Path(__file__).with_name("forges.known_hosts")
# Any that this program can check; the strongest first. What a server's known keys can do goes before.
_ALGORITHMS: Final = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip
_KINDS: Final = frozenset({"ssh-ed25519", "ssh-rsa", *(f"ecdsa-sha2-nistp{bits}" for bits in (256, 384, 521))})
_NAMES: Final = re.compile(r"(\s*(?:@\S+\s+)?)([^\s#@]\S*)")
_CERTIFICATE: Final = "-cert-v01@openssh.com"
_SETTING: Final = "KIT_GIT_SSH_KNOWN_HOSTS"


@dataclass(frozen=True)
class Known:
    """What is known of one server: its keys, the authorities that may vouch for it, and keys that must not be used."""

    name: str
    keys: "tuple[asyncssh.SSHKey, ...]"
    authorities: "tuple[asyncssh.SSHKey, ...]"
    revoked: "tuple[asyncssh.SSHKey, ...]"

    def trusted(self, keys: "tuple[asyncssh.SSHKey, ...]") -> "list[asyncssh.SSHKey]":
        """These without those that were revoked."""
        return [key for key in keys if key not in self.revoked]

    def algorithms(self) -> list[str]:
        """The algorithms to offer, in order: the server then shows a key that is known where it has one."""
        mine = {algorithm for key in self.keys for algorithm in _signatures(key)}
        ordered = sorted(_ALGORITHMS, key=lambda name: (name not in mine, _ALGORITHMS.index(name)))
        return [*(f"{name}{_CERTIFICATE}" for name in _ALGORITHMS if self.authorities), *ordered]

    def stranger(self, offered: "asyncssh.SSHKey | None", where: str) -> WorkError:
        """The error for a server that could not prove who it is; `offered` is the key that it showed, if it did."""
        shown = f"it showed the key {fingerprint(offered)}" if offered else "it showed no key of a kind that is known"
        if offered in self.revoked:
            hint = f"{_SETTING} revokes this key: connect to nothing there before its owner has explained it."
            return WorkError("the server uses a key that was revoked", where=where, why=shown, hint=hint)
        line = f"{self.name} {_line(offered)}" if offered else f"{self.name} <type> <key>"
        compare = "Compare the fingerprint with the one that the server's owner publishes"
        if self.keys or self.authorities:
            ours = " or ".join(fingerprint(key) for key in self.keys) or "one that the given authority signed"
            return WorkError(
                "the server is not the one that is known by this name",
                where=where,
                why=f"{shown}, and known is {ours}",
                hint=f"Somebody may be in between. {compare}; if its key is new, put `{line}` into {_SETTING}.",
            )
        return WorkError(
            "the server's key is not known",
            where=where,
            why=shown,
            hint=f"{compare}; if it is the same, put `{line}` into {_SETTING} (a line of a known_hosts file).",
        )


def given_lines(text: str | None, file: Path | None) -> str:
    """The lines that the settings give: those written out, and those of a file. Raises `InputError`."""
    try:
        read = file.read_text("utf-8") if file is not None else ""
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "it is no text"
        raise InputError(f"{_SETTING}_FILE cannot be read", where=str(file), why=why, hint="Check the path.") from None
    return f"{text or ''}\n{read}"


class KnownHosts:
    """The known_hosts lines of the settings (sshd(8): hashed names, [host]:port, patterns, @cert-authority, @revoked)
    beside those of the forges. Raises `InputError` for a line of another form.
    """

    def __init__(self, text: str) -> None:
        from kit_image_deployer.git.sshlib import asyncssh

        self._forges = asyncssh.import_known_hosts(FORGES.read_text("ascii"))
        text = "\n".join(map(_small_names, text.splitlines()))
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                asyncssh.import_known_hosts(line)
                _check_key(line)
            except ValueError as error:
                raise InputError(
                    f"{_SETTING} has a line that is none of a known_hosts file",
                    where=f"line {number}",
                    why=str(error),
                    hint="`ssh-keyscan HOST` prints such lines; compare their fingerprints before you trust them.",
                ) from None
        self._given = asyncssh.import_known_hosts(text)

    def of(self, host: str, port: int) -> Known:
        """What is known of a server. As with ssh, a line for the host alone serves its other ports, where there is
        none for that port.
        """
        name = host if port == 22 else f"[{host}]:{port}"
        at_port = self._match(host, None if port == 22 else port)
        alone = self._match(host, None)
        trusted = at_port if at_port[0] or at_port[1] else alone
        return Known(name, trusted[0], trusted[1], _once([*at_port[2], *alone[2]]))

    def _match(self, host: str, port: int | None) -> "tuple[tuple[asyncssh.SSHKey, ...], ...]":
        found = [known.match(host, "", port) for known in (self._forges, self._given)]
        return (
            _once(key for match in found for key in match[0]),
            _once(key for match in found for key in match[1]),
            _once(key for match in found for key in match[2]),
        )


def _small_names(line: str) -> str:
    """A line with its names in small letters, as ssh compares them; those that are hashed were so before."""
    names = _NAMES.match(line)
    if names is None or names[2].startswith("|"):
        return line
    return f"{names[1]}{names[2].lower()}{line[names.end() :]}"


def _check_key(line: str) -> None:
    """A key of another kind than ours is passed over; one of ours that cannot be read is damaged, and where it was
    to be revoked that must not go unnoticed.
    """
    from kit_image_deployer.git.sshlib import asyncssh

    names = _NAMES.match(line)
    kind, _, key = line[names.end() :].strip().partition(" ") if names else ("", "", "")
    if kind in _KINDS:
        try:
            asyncssh.import_public_key(f"{kind} {key}")
        except asyncssh.KeyImportError:
            raise ValueError(f"its {kind} key cannot be read") from None


def fingerprint(key: "asyncssh.SSHKey") -> str:
    """A public key as people compare it: `ssh-ed25519 SHA256:…`."""
    return f"{key.get_algorithm()} {key.get_fingerprint()}"


def _line(key: "asyncssh.SSHKey") -> str:
    return " ".join(key.export_public_key("openssh").decode("ascii", "replace").split()[:2])


def _signatures(key: "asyncssh.SSHKey") -> Iterable[str]:
    return [name.decode() for name in key.sig_algorithms]


def _once(keys: "Iterable[asyncssh.SSHKey]") -> "tuple[asyncssh.SSHKey, ...]":
    return tuple(dict.fromkeys(keys))
