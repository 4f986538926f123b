# SPDX-License-Identifier: MIT
"""New repositories, services and clusters: as little as renders, with a comment where a beginner would ask.

`begin` makes a repository, `extend` adds to one. Both decide first what is to be written (`texts` holds it, `insert`
puts a resource into a file that people keep), refuse where anything is in the way, and write last (`writing`).
"""
