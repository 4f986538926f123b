# SPDX-License-Identifier: MIT
"""The outside: a deployments repository, read object by object and moved by pushes that cannot lose a commit.

The conversation with the server is held here (`wire`, `http`), and dulwich makes and reads the packs. Its client
would do for the push: it takes the advertised head as the old value, and `update_refs` could refuse one on which the
edit was not made. It is not used because of what it leaves out over http: an answer other than 200 becomes an error
without the server's words and Retry-After, a lost answer cannot be told from a refusal, no time limit holds for the
whole, and each fetch begins with the list of refs anew, where this step fetches four or five times by id.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn

from kit_core.errors import WorkError
from kit_image_deployer.ahead import Ahead
from kit_image_deployer.faults import Fault, OutcomeUnknown, Race
from kit_image_deployer.git.objects import COMMIT, GitObject, Objects, pack_of
from kit_image_deployer.git.refusals import (
    HOOK,
    RACE,
    check_object_format,
    check_push_options,
    no_branch,
    ref_of,
    refusal,
)
from kit_image_deployer.git.repository import Head
from kit_image_deployer.git.transport import Transport
from kit_image_deployer.git.wire import (
    NOTHING,
    RECEIVE_PACK,
    UPLOAD_PACK,
    Advertisement,
    Report,
    ServerSaid,
    Wanted,
    fetch_request,
    ls_refs_request,
    push_request,
    read_pack,
    read_refs,
    read_report,
)

_BRANCHES: Final = b"refs/heads/"


class SmartRemote:
    """A repository behind a server that speaks git's protocol.

    Reads by the smallest means that the server offers: single objects (a filter and `want` by id), else the newest
    commit's whole tree (depth 1), else everything.
    """

    def __init__(self, transport: Transport) -> None:
        self.where = transport.where
        self._transport = transport
        self._objects = Objects()
        self._upload: Advertisement | None = None
        self._receive: Advertisement | None = None
        self._begun: Ahead[Head] | None = None
        self._receiving: Ahead[Advertisement] | None = None
        self._partial = True
        self._heads: list[bytes] = []

    def begin(self, branch: str | None, *, pushing: bool) -> None:
        """See `Remote`."""

        def read() -> Head:
            with self._words("read the repository"):
                self._upload = self._advertisement(UPLOAD_PACK)
                if pushing and self._transport.parallel:
                    # Not before reading was allowed: refused credentials need not be refused twice.
                    self._receiving = Ahead(lambda: self._advertisement(RECEIVE_PACK))
                head = self._head(branch, fresh=True)
            self.checkout(head.commit)
            return head

        self._begun = Ahead(read)

    def head(self, branch: str | None) -> Head:
        """See `Remote`."""
        begun, self._begun = self._begun, None
        if begun is not None:
            return begun.result()
        with self._words("read the repository"):
            return self._head(branch)

    def _head(self, branch: str | None, *, fresh: bool = False) -> Head:
        if self._upload is None:
            self._upload, fresh = self._advertisement(UPLOAD_PACK), True
        prefixes = [b"HEAD"] if branch is None else [b"HEAD", *(ref_of(kind, branch) for kind in (b"heads/", b"tags/"))]
        if self._upload.version == 2:
            refs, target = self._refs(prefixes)
            if branch is None and target is not None and target not in refs and b"HEAD" in refs:
                return Head(target, refs[b"HEAD"])
        else:
            if not fresh:  # version 0 tells its refs in the advertisement only
                self._upload = self._advertisement(UPLOAD_PACK)
            refs, target = dict(self._upload.refs), self._upload.head
        ref = _BRANCHES + branch.encode() if branch is not None else target
        if ref in refs:
            return Head(ref, refs[ref])
        if self._upload.version == 2 and not refs:
            refs, _ = self._refs([b"refs/"])
        raise no_branch(self.where, branch, refs, ref)

    def _refs(self, prefixes: Sequence[bytes]) -> tuple[dict[bytes, bytes], bytes | None]:
        assert self._upload is not None
        with self._transport.call(UPLOAD_PACK, ls_refs_request(self._upload, prefixes), version=2) as read:
            return read_refs(read)

    def find(self, branch: str) -> bytes | None:
        """See `Remote`."""
        with self._words("read the repository"):
            return self._find(ref_of(b"heads/", branch))

    def _find(self, ref: bytes) -> bytes | None:
        if self._upload is None or self._upload.version != 2:
            self._upload = self._advertisement(UPLOAD_PACK)
        refs = self._refs([ref])[0] if self._upload.version == 2 else self._upload.refs
        return refs.get(ref)

    def load(self, sha: bytes) -> bytes:
        """See `Remote`."""
        self.prefetch([sha])
        found = self._objects.get(sha)
        if found is None and self._partial:
            # Servers may differ in what a filter leaves out of that which was asked for by name.
            self._partial = False
            self.prefetch([sha])
            found = self._objects.get(sha)
        if found is None:
            raise Fault(f"the server did not send the object {sha.decode()}")
        return found.content

    def prefetch(self, objects: Collection[bytes]) -> None:
        """See `Remote`."""
        missing = [sha for sha in objects if sha not in self._objects]
        if missing:
            with self._words("read the repository"):
                self._fetch(Wanted(want=missing, filter=self._filter("tree:0")))

    def checkout(self, commit: bytes) -> bytes:
        """See `Remote`."""
        if commit not in self._objects:
            with self._words("read the repository"):
                self._fetch_commit(commit)
            self._heads.append(commit)
        return self.load(commit)

    def _fetch_commit(self, commit: bytes) -> None:
        assert self._upload is not None
        can = self._upload.can_fetch
        before = self._heads[-1:]
        depth = 1 if can("shallow") else None
        self._partial = self._partial and self._upload.version == 2 and can("filter")
        if self._partial and not before:
            try:
                self._fetch(Wanted(want=[commit], filter="tree:0", depth=depth))
                # The first object by id shows whether the server gives objects by id at all.
                self.load(self.load(commit).split(b"\n", 1)[0].removeprefix(b"tree "))
            except (ServerSaid, WorkError):
                self._partial = False
            else:
                return
        if before:
            # What changed since the head that is known comes in one go, with the commits in between. Not cut to depth
            # 1: a server that cuts forgets what we have, and sends every tree again.
            shallow = before if depth else []
            self._fetch(Wanted(want=[commit], have=before, shallow=shallow, filter=self._filter("blob:none")))
        else:
            self._fetch(Wanted(want=[commit], depth=depth, filter=self._filter("blob:none")))

    def _filter(self, spec: str) -> str | None:
        return spec if self._partial else None

    def _fetch(self, wanted: Wanted) -> list[bytes]:
        assert self._upload is not None
        pack = self._objects.new_pack()
        request = fetch_request(self._upload, wanted)
        with self._transport.call(UPLOAD_PACK, request, version=self._upload.version) as read:
            read_pack(read, self._upload, wanted, pack.write)
        return self._objects.add_pack(pack)

    def reaches(self, head: bytes, commits: Collection[bytes], since: bytes) -> bytes | None:
        """See `Remote`."""
        if head in commits:
            return head
        if since in {head, NOTHING}:
            return None
        with self._words("read the repository"):
            newer = self._fetch(Wanted(want=[head], have=[since], filter=self._filter("tree:0")))
        return next((commit for commit in commits if commit in newer), None)

    def missing(self, head: bytes, base: bytes) -> dict[bytes, bytes]:
        """See `Remote`."""
        if head == base:
            return {}
        with self._words("read the repository"):
            newer = self._fetch(Wanted(want=[head], have=[base], filter=self._filter("tree:0")))
        found = ((sha, self._objects.get(sha)) for sha in newer)
        return {sha: item.content for sha, item in found if item is not None and item.kind == COMMIT}

    def push(self, old: Head, new: bytes, objects: Sequence[GitObject], options: Sequence[str] = ()) -> None:
        """See `Remote`."""
        with self._words("push"):
            able = self._ready_to_push().capabilities
            check_push_options(options, self.where, taken="push-options" in able)
            body = push_request(able, old.ref, old.commit, new, options) + b"".join(pack_of(objects))
            try:
                report = self._report(body, old.ref)
            except ServerSaid:
                # It gave up, but it may have done so after it moved the branch.
                if not self._arrived(old, new):
                    raise
                return
            if not report.accepted or report.unpacked is not None:
                self._refused(report, old)
        # A tree or a file that was pushed need not be fetched again.
        self._objects.add(objects)

    def _ready_to_push(self) -> Advertisement:
        asked, self._receiving = self._receiving, None
        if self._receive is None:
            self._receive = asked.result() if asked is not None else self._advertisement(RECEIVE_PACK)
        return self._receive

    def _report(self, body: bytes, ref: bytes) -> Report:
        assert self._receive is not None
        try:
            with self._transport.call(RECEIVE_PACK, body, version=0) as read:
                if "report-status" not in self._receive.capabilities:
                    raise OutcomeUnknown("the server does not report what became of the push")
                return read_report(read, self._receive.capabilities, ref)
        except Fault as fault:
            raise OutcomeUnknown(fault.why, retry_after=fault.retry_after) from fault

    def _arrived(self, old: Head, new: bytes) -> bool:
        try:
            there = self._find(old.ref)
            return there is not None and self.reaches(there, [new], since=old.commit) is not None
        except Fault as fault:
            raise OutcomeUnknown(fault.why, retry_after=fault.retry_after) from fault

    def _refused(self, report: Report, old: Head) -> NoReturn:
        words = report.words
        if report.unpacked is not None:
            raise refusal(self.where, "the server could not take the commit in", report.unpacked, words)
        if report.refused is None:
            raise OutcomeUnknown("the server did not say what became of the push")
        branch = _name(old.ref)
        reason = report.refused.replace(old.ref.decode("utf-8", "replace"), "")  # a branch may be called `protected`
        if not HOOK.search(reason) and (
            RACE.search(report.refused) or RACE.search(words) or (self._find(old.ref) or NOTHING) != old.commit
        ):
            raise Race(report.refused)
        raise refusal(self.where, f"the server refused the push to {branch}", report.refused, words)

    def _advertisement(self, service: str) -> Advertisement:
        advertisement = self._transport.advertise(service)
        check_object_format(advertisement.capabilities.get("object-format", "sha1"), self.where)
        return advertisement

    @contextmanager
    def _words(self, doing: str) -> Iterator[None]:
        """A server that ends the conversation with words of its own has refused."""
        try:
            yield
        except ServerSaid as said:
            raise refusal(self.where, f"the server refused to {doing}", said.words, "") from None

    def close(self) -> None:
        """See `Remote`."""
        self._objects.close()
        self._transport.close()


def _name(ref: bytes) -> str:
    return ref.removeprefix(_BRANCHES).decode("utf-8", "replace")
