# SPDX-License-Identifier: MIT
"""The main job, end to end, on real parts, told so that a newcomer understands it: `python -m demo`.

In the order in which a run uses it: `frame` says what kit is; `stage` lays out a folder with the two example
repositories (`shop` fits them to the machine and fills the registry) beside a testbed. `scenes` tells the story,
each scene a function; it drives `pipeline`, which runs the three images as a CI service would and knows nothing of
them: the end-to-end tests drive the same class. `checks` asks the clusters whether it is true. `narrator` is
everything that is printed, `audience` leaves out what repeats itself; `git` and `process` are the developer's
tools: git in a container of the testbed's image, and commands with their output and time.
"""
