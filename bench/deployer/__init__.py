# SPDX-License-Identifier: MIT
"""kit-deployer beside what applies manifests otherwise: kubectl, kubectl with an ApplySet, helm, and bare requests.

`manifests` makes the objects, `ways` runs each program on them, `floor` sends them as bare requests: less than that an
API server cannot be asked for. The benches: `apply` (a thousand objects), `cause`, `clusters`.
"""
