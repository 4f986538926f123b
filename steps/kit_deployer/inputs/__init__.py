# SPDX-License-Identifier: MIT
"""From files to what one cluster's rollout needs, checked before any cluster is touched.

`targets` pairs kubeconfigs (`kubeconfig`; `unlocking` decrypts them) with cluster folders. `reading` reads a folder:
its `manifests`, and what the render's `index` says of them. `shapes` and `lint` find what a server would refuse,
`secrets` what no output may show.
"""
