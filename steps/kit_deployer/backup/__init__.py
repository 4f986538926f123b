# SPDX-License-Identifier: MIT
"""Keeps a copy of every manifest that a deploy applies in an S3 bucket. Nothing here ever fails a deploy.

`copies` decides (purely) what is kept, under which name, in which form. `keeper` is the listener that hands the copies
on, beside the deploy and within limits. `bucket` puts them there, `credentials` finds out as whom.
"""
