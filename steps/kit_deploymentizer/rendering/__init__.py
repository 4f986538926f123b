# SPDX-License-Identifier: MIT
"""From the repository's values to text.

`merge` lays base, type and cluster over one another. `view` makes what one resource's template sees, with `images`, and
with `placeholders` where no secret may be read. `templates` finds the engine of a `template`: `mustache` (with
`mustache_scan`, and `javascript`, which knows how values print) or `jinja`. `remarks` and `jinja_remarks` tell what an
author will not have meant.
"""
