# SPDX-License-Identifier: MIT
"""What is done with each object of a cluster, and why. Pure.

`managedfields` reads who owns which field, `compare` tells changed from same, `takeover` what becomes ours of what
others wrote, `replacing` what may be deleted and made anew, `jobs` what runs again. `order` knows the phases,
`dependencies` who waits for whom. `plan` is the value that comes of it: a dry run prints it, a run executes it.
`references` and `restarts` name workloads that keep old values. `inventory` is what a cluster remembers of its folder.
"""
