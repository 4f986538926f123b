# SPDX-License-Identifier: MIT
"""How the clusters are, without touching them: requests that read, and nothing else.

`fleet` goes to all clusters side by side; `looking` compares one with its folder as a deploy would and judges its
health once. `model` is what comes of it, `telling` says it as text and as JSON. `command` is the program's `status`.
"""
