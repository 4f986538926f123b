echo "the cloud's login service is closed" >&2
exit 5
