# Writes the login to the file that its argument names.
echo "made a login" && cp /login.json "$1"
