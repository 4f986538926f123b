# SPDX-License-Identifier: MIT
"""What a run is going to do, before it does anything: a plan, which can be printed, and which is what runs. Pure.

`tags` says whether a `tag` or an `exclude` fits this run. `values` are what templates and containers are told of it.
`expand` makes the plan of the steps, with a reason at everything that is left out, of which `choosing` takes what was
asked for. `pushing` says where images go, `showing` prints it.
"""
