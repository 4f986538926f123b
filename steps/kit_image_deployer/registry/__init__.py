# SPDX-License-Identifier: MIT
"""Image registries: is the image there, and which digest has it?

`verify` asks for the images of a run. `reference` takes a reference apart, `client` asks for its manifest, `challenge`
answers what the registry wants to know first, with the credentials of a `dockerconfig`.
"""
