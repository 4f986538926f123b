# SPDX-License-Identifier: MIT
"""`git describe --abbrev=1 --tags --always`, as git computes it (https://git-scm.com/docs/git-describe).

dulwich has a `describe` of its own, with other tags, other numbers and other short names than git's.
"""

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dulwich.repo import Repo

_SHORTEST: Final = 4  # git's own, for --abbrev=1
_CANDIDATES: Final = 10


@dataclass(frozen=True)
class _Tag:
    """A tag of a commit. `name` is what an annotated one calls itself, else its ref's; `renamed` where they differ.

    `tagged` is what it points to, which may be another tag.
    """

    name: str
    tagged: Any
    annotated: bool = False
    date: int = 0
    renamed: bool = False


@dataclass
class _Candidate:
    """A tag that the walk has met. `depth` counts commits that it does not have."""

    tag: _Tag
    bit: int
    depth: int


def describe(repository: "Repo", head: Any) -> str:
    """The commit's nearest tag, light ones too: alone where the commit has it, else with the number of commits since
    and the commit's short name; that name alone where no tag is behind it.
    """
    tags = _tags(repository)
    own = tags.get(head)
    if own is not None and not own.renamed:
        return own.name
    if own is not None:
        return f"{own.name}-0-g{_short(repository, own.tagged)}"
    short = _short(repository, head)
    found = _Walk(repository, head).nearest(tags) if tags else None
    return f"{found.tag.name}-{found.depth}-g{short}" if found else short


@dataclass
class _Walk:
    """The commits behind `head`, newest first. Each knows, as bits, the candidates that it is behind."""

    repository: "Repo"
    head: Any
    _queue: list[tuple[int, int, Any]] = field(default_factory=list)  # time, minus the order of arrival, commit
    _within: dict[Any, int] = field(default_factory=dict)
    _arrived: int = 0

    def nearest(self, tags: Mapping[Any, _Tag]) -> _Candidate | None:
        """The candidate that lacks the fewest commits, of several the one met first."""
        self._provider = self.repository.parents_provider()
        self._add(self.head, 0)
        candidates: list[_Candidate] = []
        seen = 0
        over = None
        while self._queue:
            entry = self._queue.pop()
            commit = entry[2]
            seen += 1
            if (tag := tags.get(commit)) is not None:
                if len(candidates) == _CANDIDATES:
                    over = entry
                    break
                candidates.append(_Candidate(tag, 1 << len(candidates), seen - 1))
                self._within[commit] |= candidates[-1].bit
            within = self._within[commit]
            for candidate in candidates:
                candidate.depth += not within & candidate.bit
            if not self._queue and _settled(candidates, within):
                break
            self._follow(commit)
        if not candidates:
            return None
        best = min(candidates, key=lambda candidate: candidate.depth)  # the first of several
        if over is not None:
            self._arrived += 1
            bisect.insort(self._queue, (over[0], -self._arrived, over[2]))
        self._count(best)
        return best

    def _count(self, best: _Candidate) -> None:
        """Count the commits left that the best candidate lacks, until all that wait are behind it."""
        while self._queue:
            commit = self._queue.pop()[2]
            if not self._within[commit] & best.bit:
                best.depth += 1
            elif all(self._within[waiting] & best.bit for *_, waiting in self._queue):
                return
            self._follow(commit)

    def _follow(self, commit: Any) -> None:
        for parent in self._provider.get_parents(commit):
            self._add(parent, self._within[commit])

    def _add(self, commit: Any, within: int) -> None:
        if commit in self._within:
            self._within[commit] |= within
            return
        self._within[commit] = within
        self._arrived += 1
        thing: Any = self.repository[commit]
        bisect.insort(self._queue, (thing.commit_time, -self._arrived, commit))


def _settled(candidates: Iterable[_Candidate], within: int) -> bool:
    """Whether the last commit that waits is behind the best candidates, of which one is annotated: nothing beyond it
    changes which is nearest. Without an annotated one git goes on, and so do we.
    """
    found = list(candidates)
    if not any(candidate.tag.annotated for candidate in found):
        return False
    least = min(candidate.depth for candidate in found)
    best = sum(candidate.bit for candidate in found if candidate.depth == least)
    return within & best == best


def _tags(repository: "Repo") -> dict[Any, _Tag]:
    """The tag of each tagged commit. Of several an annotated one, of these the youngest, else the first by name."""
    from dulwich.refs import Ref

    found: dict[Any, _Tag] = {}
    for ref, target in sorted(repository.refs.as_dict(Ref(b"refs/tags")).items()):
        name = ref.decode(errors="replace")
        try:
            thing: Any = repository[target]
            tag = _Tag(name, target)
            if thing.type_name == b"tag":
                own = thing.name.decode(errors="replace")
                tag = _Tag(own, thing.object[1], annotated=True, date=thing.tag_time or 0, renamed=own != name)
            while thing.type_name == b"tag":
                thing = repository[thing.object[1]]
        except KeyError:
            continue  # a tag whose commit a partial or shallow clone does not have
        had = found.get(thing.id)
        if had is None or (tag.annotated, tag.date) > (had.annotated, had.date):
            found[thing.id] = tag
    return found


def _short(repository: "Repo", head: bytes) -> str:
    name = head.decode()
    for length in range(_SHORTEST, len(name)):
        if _alone(repository.object_store.iter_prefix(name[:length].encode())):
            return name[:length]
    return name


def _alone(found: Iterable[bytes]) -> bool:
    return len(set(found)) <= 1
