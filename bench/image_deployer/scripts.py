# SPDX-License-Identifier: MIT
"""The same job done with git itself, as carefully as a shell script may: each is what one would write today."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from bench.image_deployer.repository import image_of
from bench.measure import Run, run_process
from testbed.git import GitRepository

# No checkout: the new trees are made one by one from the old ones (git mktree), so that only the trees on the file's
# way are fetched. An index, even a sparse one, would fetch every tree of the repository.
FILTERED = r"""
set -eu
git clone --quiet --filter=tree:0 --depth=1 --no-checkout "$URL" work
cd work
replaced() { awk -F '\t' -v n="$1" -v e="$2" '$2 == n { print e "\t" n; next } { print }'; }
path=images/$SERVICE/master.yaml
git cat-file blob "HEAD:kit.yaml" > ../kit.yaml
git cat-file blob "HEAD:$path" | sed "s|^image: .*|image: $IMAGE|" > ../new.yaml
sha=$(git hash-object -w ../new.yaml) mode=100644 kind=blob
while [ "$path" != . ]; do
  folder=${path%/*} name=${path##*/}
  [ "$folder" != "$path" ] || folder=.
  tree=HEAD:; [ "$folder" = . ] || tree=HEAD:$folder
  sha=$(git ls-tree "$tree" | replaced "$name" "$mode $kind $sha" | git mktree --missing)
  mode=040000 kind=tree path=$folder
done
commit=$(git commit-tree -p HEAD -m "Deploy $IMAGE" "$sha")
git push --quiet origin "$commit:refs/heads/master"
"""

SHALLOW = r"""
set -eu
git clone --quiet --depth 1 "$URL" work
cd work
sed -i "s|^image: .*|image: $IMAGE|" "images/$SERVICE/master.yaml"
git commit --quiet --all --message "Deploy $IMAGE"
git push --quiet origin HEAD:refs/heads/master
"""


def run_script(script: str, repository: GitRepository, service: str, build: int, *, url: str | None = None) -> Run:
    """Run it in an empty folder that is gone afterwards (its removal is not measured)."""
    address = (url or repository.url_outside).replace(
        "://", f"://{quote(repository.username)}:{quote(repository.password)}@"
    )
    with TemporaryDirectory(prefix="kit-bench-") as folder:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "URL": address,
            "SERVICE": service,
            "IMAGE": image_of(service, build),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _ADA.items()},
        }
        return run_process(["sh", "-c", f"cd {Path(folder)}\n{script}"], env)


_ADA = {"NAME": "Ada", "EMAIL": "ada@example.com"}
