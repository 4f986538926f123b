cp nothing deployed || { echo "nothing was compiled" >&2; exit 9; }
