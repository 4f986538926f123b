# SPDX-License-Identifier: MIT
"""Starts the real parts that the demo, the tests and the benchmarks need, in containers, from nothing but Docker, and
stops them again.

In the order in which things happen:

- `docker` finds the engine, or installs and starts one; `baseimage` says what to build on; `images` builds the
  testbed's images.
- `container` is one part's container: its labels are all that is remembered. `owner` and `leftovers` find what nobody
  uses any more.
- One module a part: `registry`, `git`, `cluster` (with `kubeconfig`). Another part is another module with `start` and
  `attach`.
- `bed` puts them together: `Testbed.start(clusters=2)`, `.down()`. `cli` is that for people: `python -m testbed`.

Only the standard library is used, so that it runs before anything is installed.
"""
