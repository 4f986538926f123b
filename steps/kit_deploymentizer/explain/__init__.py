# SPDX-License-Identifier: MIT
"""Where each value of a view comes from.

`places` finds it: `origins` merges as rendering does and keeps every value's place. `telling` shows it. Pure.
"""
