# SPDX-License-Identifier: MIT
"""The two files, read: every service and step as a value, every scalar as it was written.

`find` knows where the files lie, `loading` goes from one to its values. `reading` parses it and keeps where everything
stands; `meant` says of one that does not parse what its author probably meant. `keys` are the keys that there are, of
which `schemas` tells editors. `services` and `steps` make values of what was read (`service`, `step`), `commands` words
of a command; in a docker-compose.yml `interpolation` fills in `$NAME` first. What is wrong is a `finding`; `checking`
finds what takes both files, `templates` what takes Go's templates, `outside` what takes a look at the files they name.
"""
