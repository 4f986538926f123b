# SPDX-License-Identifier: MIT
"""What people use at their desk: `commands` for the program, `watch`, and `encrypting` files and values."""
