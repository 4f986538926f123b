# SPDX-License-Identifier: MIT
"""From text to manifests that a cluster can take. Pure.

`inspect` takes a cluster's rendered files: `check` parses and judges them, `manifest` knows Kubernetes' objects,
`refusals` what their API would refuse, `openapi` what a cluster's own description of it says. `checksum` inserts
checksums, `stale` names workloads that keep an old value.
"""
