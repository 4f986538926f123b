# SPDX-License-Identifier: MIT
"""`python -m kit_image_deployer`."""

from kit_image_deployer.cli import main

main()
