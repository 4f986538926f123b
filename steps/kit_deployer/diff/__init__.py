# SPDX-License-Identifier: MIT
"""What a deploy does to objects, as people read it. Pure.

`difference` makes the text of one object: `noise` takes out what nobody wrote, `masking` hides secrets, `lines`
compares what is left (`items` tells the items of lists apart). `foreseen` says what an apply will make of an object
where the server is not asked, or could not tell.
"""
