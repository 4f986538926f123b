# SPDX-License-Identifier: MIT
"""`python -m kit_pipeline`."""

from kit_pipeline.cli import main

main()
