# SPDX-License-Identifier: MIT
"""`python -m kit_deployer`."""

from kit_deployer.cli import main

main()
