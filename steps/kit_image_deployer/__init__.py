# SPDX-License-Identifier: MIT
"""kit-image-deployer: writes an image reference into a file of the deployments repository and pushes the commit.

In the order in which data flows: `settings` declares what can be set and `source` knows what each CI calls it;
`request` makes of them what is wanted (a `change`): `image` makes and checks references, `target` names of files,
`guard/` the build and what is known of its place in the service's history; `registry/` is asked whether the images
are there. `git/` finds the deployments repository and reads it by single objects, `snapshot` what it says at one
commit. `plan` makes of that and of the change the commit to push: `promote` tells what a promotion means there,
`guard/` whether a build may replace what stands there, `edit/` changes the values byte-exactly, `message/` writes the
commit's message, `signing/` signs it (`pem` finds keys in what a CI's variable holds).

`update` ties them: read, decide, commit, push with the head that the edit was made on as the expected old value, and
again where someone else was faster, as long as `patience` lasts (`faults` tells what may pass). `forge/` does so for
a pull request. `connections/` are what all of them reach servers by; `ahead` begins work early. `report` tells what
came of it. `cli` is the program, `api` the library (`discreet` keeps secrets out of what it raises):

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
