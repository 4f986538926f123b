# SPDX-License-Identifier: MIT
"""kit-deploymentizer on made fleets (`fleet`): whole renders (`render`), beside helm and kustomize with the same fleet
(`peers`), how they grow (`growth`), and runs after one change (`change`). The step runs as in a pipeline, as a process
of its own (`step`).
"""
