# SPDX-License-Identifier: MIT
"""kit-pipeline: runs CodeShip's services and steps files on any machine with Docker. Begun; there is no program yet.

`files` reads the two files and says what is wrong with them. `planning` makes of them what a run is going to do, with
what the `repository` says of its commit. `running` does it, on the `engine`. `template` fills in Go's templates, which
both files may use.
"""
