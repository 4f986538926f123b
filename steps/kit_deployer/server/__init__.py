# SPDX-License-Identifier: MIT
"""The way to an API server.

`cluster` is the one place that talks to it: every request of a deploy is one of its methods. `connection` opens the
line, `login` reads certificates and headers, `credentials` renews tokens (`plugins` asks the programs that know them).
`sending` asks again where that helps, `failures` names what came instead of an answer, `discovery` knows the server's
kinds, `watching` keeps a picture of objects up to date.
"""
