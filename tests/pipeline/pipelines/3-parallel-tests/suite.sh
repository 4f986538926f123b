#!/bin/sh
# Each says its lines one after the other, while the others say theirs.
for line in 1 2 3; do
    echo "$1 $VERSION: line $line"
    sleep 0.1
done
