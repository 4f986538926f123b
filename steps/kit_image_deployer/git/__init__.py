# SPDX-License-Identifier: MIT
"""The deployments repository, read object by object and moved by pushes that cannot lose a commit.

`address` (with `place`) finds it and opens it as a `repository`: `remote` behind a server, `local` in a folder. `wire`
holds git's messages and `transport` is what carries them: `http`, or `stream` over `ssh` (with `sshkey`, `hostkeys`,
`sshlib` and `eventloop`) and `gitserver`. `objects` holds what came and packs what goes, `tree` makes new trees and
commits in memory, `refusals` tells what is not there or not allowed.
"""
