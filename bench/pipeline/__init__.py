# SPDX-License-Identifier: MIT
"""kit-pipeline as a process of its own: what a step costs beyond its command (`overhead`), and how long a large file
takes to be checked (`validate`). `files` makes what it reads.
"""
