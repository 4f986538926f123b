#!/bin/sh
# SPDX-License-Identifier: MIT
# codeship-steps.yml in plain shell, for any CI, a timer or a person: sh, git and docker are all it takes. Every branch
# is built and checked, master is pushed (`docker login registry.example.com` beforehand) and deployed.
#
#   KIT_GIT_USERNAME, KIT_GIT_PASSWORD   who may push to the deployments repository; for master only
#   CI_BRANCH, CI_COMMIT_ID, CI_COMMITTER_NAME, CI_COMMITTER_EMAIL, CI_COMMIT_MESSAGE
#                                        what the clone says, where the CI does not set them
#   DOCKER_RUN_OPTIONS                   more options for each `docker run`, such as `--network builds`
set -euf
cd -- "$(dirname -- "$0")"

CI_BRANCH=${CI_BRANCH:-$(git symbolic-ref --short HEAD)}
CI_COMMIT_ID=${CI_COMMIT_ID:-$(git rev-parse HEAD)}
CI_COMMITTER_NAME=${CI_COMMITTER_NAME:-$(git log -1 --format=%cn)}
CI_COMMITTER_EMAIL=${CI_COMMITTER_EMAIL:-$(git log -1 --format=%ce)}
CI_COMMIT_MESSAGE=${CI_COMMIT_MESSAGE:-$(git log -1 --format=%B)}
export CI_BRANCH CI_COMMIT_ID CI_COMMITTER_NAME CI_COMMITTER_EMAIL CI_COMMIT_MESSAGE
if [ "$CI_BRANCH" = master ]; then
  : "${KIT_GIT_USERNAME:?is needed to deploy}" "${KIT_GIT_PASSWORD:?is needed to deploy}"
  export KIT_GIT_USERNAME KIT_GIT_PASSWORD
fi

run() { # image and command after the options, as for `docker run`
  # shellcheck disable=SC2086 # several words are several options
  docker run --rm ${DOCKER_RUN_OPTIONS:-} "$@"
}

echo "== check"
docker build --build-arg "VERSION=$CI_BRANCH-$CI_COMMIT_ID" -t "storefront:$CI_COMMIT_ID" .
run "storefront:$CI_COMMIT_ID" check

if [ "$CI_BRANCH" = master ]; then
  echo "== push"
  docker tag "storefront:$CI_COMMIT_ID" "registry.example.com/shop/storefront:$CI_BRANCH-$CI_COMMIT_ID"
  docker push "registry.example.com/shop/storefront:$CI_BRANCH-$CI_COMMIT_ID"

  echo "== deploy"
  run -v "$PWD:/source:ro" \
    -e COMMIT=true -e DOCKER_REGISTRY=registry.example.com -e DOCKER_REPO=shop/storefront \
    -e KIT_GIT_URL=https://git.example.com/shop/deployments.git -e KIT_SOURCE_DIR=/source \
    -e KIT_GIT_USERNAME -e KIT_GIT_PASSWORD \
    -e CI_BRANCH -e CI_COMMIT_ID -e CI_COMMITTER_NAME -e CI_COMMITTER_EMAIL -e CI_COMMIT_MESSAGE \
    registry.example.com/kit-image-deployer:0.1 update
fi
