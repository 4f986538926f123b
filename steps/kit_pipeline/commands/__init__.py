# SPDX-License-Identifier: MIT
"""What the program does, a module a command; each is thin: from settings to the library, and from its result to the log
and the exit code.
"""
