#!/bin/sh
# SPDX-License-Identifier: MIT
# codeship-steps.yml in plain shell, for any CI, a timer or a person: sh, git and docker are all it takes. A branch is
# rendered, checked and compared with origin/master, without any secret. master is rendered with the secrets, shown to
# every cluster, then deployed.
#
#   PAYMENT_KEY          what the templates ask for; for master only
#   CODESHIP_AES_KEY     opens the kubeconfigs, clusters/<folder>/kubeconfig; for master only, else from codeship.aes
#   CI_BRANCH            what the clone says, where the CI does not set it
#   DOCKER_RUN_OPTIONS   more options for each `docker run`, such as `--network builds`
set -euf
cd -- "$(dirname -- "$0")"

CI_BRANCH=${CI_BRANCH:-$(git symbolic-ref --short HEAD)}

run() { # image and command after the options, as for `docker run`
  # shellcheck disable=SC2086 # several words are several options
  docker run --rm ${DOCKER_RUN_OPTIONS:-} "$@"
}

if [ "$CI_BRANCH" != master ]; then
  preview() {
    run -v "$PWD:/manifests" -w /manifests \
      -e KIT_PLACEHOLDERS=true -e KIT_VALIDATE=error -e SAVE=false \
      registry.example.com/kit-deploymentizer:0.1 "$@"
  }
  echo "== render with placeholders"
  preview render
  echo "== check"
  preview lint --exit-code
  echo "== diff"
  preview diff --against origin/master...
else
  if [ -z "${CODESHIP_AES_KEY:-}" ] && [ -f codeship.aes ]; then
    CODESHIP_AES_KEY=$(cat codeship.aes)
  fi
  export PAYMENT_KEY CODESHIP_AES_KEY
  mkdir -p generated reports # else the engine makes them, as root's

  echo "== render"
  run -v "$PWD:/manifests" -w /manifests \
    -e PAYMENT_KEY -e CODESHIP_AES_KEY \
    registry.example.com/kit-deploymentizer:0.1 render
  echo "== rehearse"
  run -v "$PWD/generated:/manifests:ro" -v "$PWD/namespaces:/namespaces:ro" -v "$PWD/clusters:/configs:ro" \
    -e DRY_RUN=true -e DIFF=true -e KIT_REQUIRE_ALL=true \
    -e PAYMENT_KEY -e CODESHIP_AES_KEY \
    registry.example.com/kit-deployer:0.1 deploy
  echo "== deploy"
  run -v "$PWD/generated:/manifests:ro" -v "$PWD/namespaces:/namespaces:ro" -v "$PWD/clusters:/configs:ro" \
    -v "$PWD/reports:/reports" \
    -e DRY_RUN=false -e AVAILABLE_ENABLED=true -e KIT_REQUIRE_ALL=true -e KIT_REPORT_DIR=/reports \
    -e PAYMENT_KEY -e CODESHIP_AES_KEY \
    registry.example.com/kit-deployer:0.1 deploy
fi
