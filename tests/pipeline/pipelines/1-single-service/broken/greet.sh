#!/bin/sh
echo "no greeting for $1" >&2
exit 3
