# Says what is deployed, in a file that stays.
pages=$(cat /store/pages) || exit 9
echo "$1: $CI_COMMIT_ID with $pages pages" > deployed
