# SPDX-License-Identifier: MIT
"""The two files, read: every service and step as a value, every scalar as it was written. Nothing outside is touched.

`find` knows where the files lie. `reading` parses one and keeps where everything stands; `meant` says of one that does
not parse what its author probably meant. `keys` are the keys that there are. `services` and `steps` make values of
what was read (`service`, `step`). What is wrong with them is a `finding`; `checking` finds what takes both files.
"""
