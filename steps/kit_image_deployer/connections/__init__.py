# SPDX-License-Identifier: MIT
"""Connections to servers, in bounded time and through the proxies that are prescribed.

`pool` holds those of http and says what a failed one means, `tunnel` opens others, `web` asks single questions.
"""
