#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes an image archive of one program: pack.sh PROGRAM ARCHIVE
set -eu
work=$(mktemp -d)
cp "$1" "$work/pause"
tar -C "$work" --owner=0 --group=0 --mtime=@0 -cf "$work/layer.tar" pause
layer=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
cat > "$work/config.json" <<JSON
{"architecture": "$(dpkg --print-architecture)", "os": "linux", "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$layer"]}}
JSON
cat > "$work/manifest.json" <<JSON
[{"Config": "config.json", "RepoTags": ["kit.test/pause:1"], "Layers": ["layer.tar"]}]
JSON
tar -C "$work" -cf "$2" manifest.json config.json layer.tar
rm -r "$work"
