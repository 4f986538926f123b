# SPDX-License-Identifier: MIT
"""kit-image-deployer on a large deployments repository (`repository`) over smart http: one update beside git's own
ways (`update`, `scripts`, bytes counted by `counter`), memory (`memory`), and fifty writers at once (`writers`).
The step runs as in a pipeline, as a process of its own (`step`).
"""
