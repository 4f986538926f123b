# SPDX-License-Identifier: MIT
"""What a deploy does to objects, as people read it: `difference` makes the text, without what servers add and without
secrets. Pure.
"""
