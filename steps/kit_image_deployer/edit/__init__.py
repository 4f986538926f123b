# SPDX-License-Identifier: MIT
"""The byte-exact edit. Pure.

`values` gives keys of a YAML file new values: `layout` and `merges` tell where things stand in its text, `patches` what
to put where. `difference` shows a change as a unified diff.
"""
