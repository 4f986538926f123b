# SPDX-License-Identifier: MIT
"""The Docker engine: the one room that talks to it, through its API (https://docs.docker.com/reference/api/engine/).

`connect` finds it. `building` makes images, `images` pulls, tags and pushes them, `progress` is what it says meanwhile;
`logins` says who we are to a registry. `containers` makes, runs and removes containers, with the `options` that a
service gives them; a `listener` hears one, `networks` is what they meet in. Everything we make carries the `labels` of
its run, by which `cleanup` finds it again once the run's process is not `alive`. `paths` are those of the machine, seen
from a container that uses its engine. `failures` says in the engine's own words what went wrong.
"""
