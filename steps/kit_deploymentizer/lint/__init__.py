# SPDX-License-Identifier: MIT
"""What of a repository nobody uses, or could be written once.

`unused` looks, with the names that templates mention (`named`) and the values that are overridden for nothing
(`repeats`). A `finding` is what it finds.
"""
