# SPDX-License-Identifier: MIT
"""The commit's message.

`commit` writes it, after a `template` where there is one; `defuse` makes words that would act here mere words, `event`
is where GitHub Actions keeps the service's message.
"""
