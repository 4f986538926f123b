# SPDX-License-Identifier: MIT
"""Doing what the plan says.

`run` walks the plan: in order, side by side, and what is to be done where something fails. `task` does one thing of it,
among its `neighbours`, the services that run beside it. `provide` has the image of a service: built once, when it is
first needed. `environment` is what a container is told, `vault` what was encrypted, `mounts` which folders it sees.
All ends in a `result`; `printing` shows it as it goes.
"""
