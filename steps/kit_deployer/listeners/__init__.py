# SPDX-License-Identifier: MIT
"""Who is told of a run while it goes on. Nothing here ever fails a deploy.

A `listener` hears of each object. `webhooks` tells other services, in the words of the `original` or those of `slack`.
"""
