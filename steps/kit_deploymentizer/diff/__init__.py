# SPDX-License-Identifier: MIT
"""What a change does to every cluster's manifests.

`comparing` gets both sides, `gittree` the repository at another commit. `difference` compares them, `masking` hides
what must not be seen, `telling` shows it.
"""
