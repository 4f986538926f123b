# SPDX-License-Identifier: MIT
"""The output folder: what a run wrote, and what the next one need not.

A `file` is a value; `write` brings the folder to the plan: `guard` keeps it from the sources, `lock` keeps others out,
`folders` knows what lies there. `index` keeps what was made (`noting` says it of a plan), with the `commit` that was
rendered, and `stamps` when it was touched. `reuse` takes from there what is as good as new: all of a cluster but what
is made from changed files (a `rest`), or resource by resource; `digests` say of inputs whether they changed, and what
they say is `remembered`.
"""
