# SPDX-License-Identifier: MIT
"""What objects are to look like. Pure.

`annotate` writes labels, names and annotations on manifests, `beside` those of fast-rollback. `fitting` leaves out what
is not ours to set, such as the replicas of what an autoscaler rules (`scaling`).
"""
