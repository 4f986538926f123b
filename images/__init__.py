# SPDX-License-Identifier: MIT
"""The images, three steps and kit-pipeline: `build.py` builds, tags, measures and lists them; `recipe/` is what runs
inside the build.

In the order in which an image comes about: `recipe/packages.txt` names Debian's packages, `recipe/system.py` makes
a root file system of them; `recipe/dependencies.py` installs a step's locked dependencies into it; `recipe/step.py`
adds our own code and the entrypoint; `<image>/Dockerfile` lays these three on top of each other, from nothing. The
Dockerfiles differ in their first lines only (a test compares them), so that each can be built alone with `docker
build -f`.
"""
