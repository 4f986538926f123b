# SPDX-License-Identifier: MIT
"""Is what was deployed healthy, and if not, who is to blame? Pure: no request, no clock of its own.

`model` has the values (a snapshot of the cluster in, a verdict out), `workloads` and `others` one small check a kind,
`pods` reads from a pod what the kubelet says is wrong with it, `limits` is the table of how long each cause may last,
and `judge` puts them together: ready, waiting, failed with the cause, or out of time.
"""
