# SPDX-License-Identifier: MIT
"""`python -m kit_deploymentizer`."""

from kit_deploymentizer.cli import main

main()
