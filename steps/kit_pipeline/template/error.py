# SPDX-License-Identifier: MIT
"""What is wrong with a template."""

from kit_core.errors import InputError


class TemplateError(InputError):
    """A text that is no template, or one that asks for what there is not."""
