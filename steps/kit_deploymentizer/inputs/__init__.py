# SPDX-License-Identifier: MIT
"""The deployments repository, read.

`layout` reads kit.yaml; `repository` the base, the types and the clusters, of which `limits` says what a run is about.
`reading` keeps every file's values with file and line, `words` reads scalars as the original did, `encrypted` decrypts,
and `secret_values` are what nobody may see. `checking` tells what is wrong: keys that kit does not know (`schema`, of
which `schemas` makes JSON Schemas for editors) and files whose names are `overlooked`.
"""
