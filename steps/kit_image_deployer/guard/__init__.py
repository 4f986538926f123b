# SPDX-License-Identifier: MIT
"""No older build over a newer one.

`guarding` makes the guard of settings, `policy` decides from what is recorded (pure), `ancestry` asks the service's own
history.
"""
