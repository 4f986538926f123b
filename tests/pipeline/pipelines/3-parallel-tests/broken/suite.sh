#!/bin/sh
if [ "$1" = lint ]; then
    echo "lint: a line is too long" >&2
    exit 4
fi
sleep 1
echo "$1 $VERSION: line 3"
