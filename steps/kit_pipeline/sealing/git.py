# SPDX-License-Identifier: MIT
"""Whether git would take a file along that it must not."""

from pathlib import Path


def would_take(path: Path) -> bool:
    """Whether `path` lies in a git repository whose ignore files do not name it, so that `git add .` takes it along.

    False where that cannot be told.
    """
    from dulwich.errors import NotGitRepository
    from dulwich.ignore import IgnoreFilterManager
    from dulwich.repo import Repo

    try:
        place = path.resolve()
        repository = Repo.discover(str(place.parent))
    except (NotGitRepository, OSError, ValueError):
        return False
    try:
        inside = place.relative_to(Path(repository.path).resolve())
        return not IgnoreFilterManager.from_repo(repository).is_ignored(str(inside))
    except (OSError, ValueError):
        return False
    finally:
        repository.close()
