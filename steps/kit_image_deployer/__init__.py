# SPDX-License-Identifier: MIT
"""kit-image-deployer: writes an image reference into a file of the deployments repository and pushes the commit.

In the order in which data flows: `settings` declares what can be set and `source` knows what each CI calls it;
`request` makes of them what is wanted (a `change`): `image` makes and checks references, `target` names of files,
`address` (with `place`) finds the repository, `guarding` the build and, by `ancestry`, its place in the service's
history; `verify` asks the `registry`. `snapshot` reads the deployments repository at one commit, and `plan` makes of it
and of the change the commit to push: `promote` tells what a promotion means there, `policy` whether a build may replace
what stands there, `edit` changes the values byte-exactly (`layout` and `merges` know where things stand in the text,
`patches` what to put where), `message` (with `defuse` and `template`) writes the commit message, `tree` the new
objects, all in memory, and `signing` signs.

`update` ties them: read, decide, commit, push, and again where someone else was faster, as long as `patience` lasts
(`faults` tells what may pass); `propose` does so for a pull request on a `forge` (`proposal` is what it is made of). A
`repository` is the outside: `remote` reads single objects (the first ones `ahead`, while the rest still loads) and
pushes with the head that the edit was made on as the expected old value, `local` is one in a folder. `wire` holds git's
messages and `transport` is what carries them: `http` with its `pool` of connections, or `stream` over `ssh` and
`gitserver`; `objects` holds what came, `refusals` tells what is not there or not allowed. `report` tells what came of
it, and `difference` what would change. `cli` is the program, `api` the library (`discreet` keeps secrets out of what it
raises):

>>> from kit_image_deployer import update_image
>>> outcome = update_image(
...     "/srv/deployments.git",
...     repository="shop/cart",
...     branch="master",
...     image="registry.example.com/shop/cart:master-42",
...     author="Ada",
...     email="ada@example.com",
...     commit=True,
... )
>>> outcome.result, outcome.path
('updated', 'images/shop/cart/master.yaml')
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit_image_deployer.api import promote_images, update_image, update_images
    from kit_image_deployer.change import ImageUpdate, Outcome

__all__ = ["ImageUpdate", "Outcome", "promote_images", "update_image", "update_images"]


def __getattr__(name: str) -> Any:
    # Loaded at first use: the program's --help needs none of it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kit_image_deployer import api, change

    return getattr(change if hasattr(change, name) else api, name)
