# Prints what is shown beside a version: fields that end in NUL. $1 is the branch.
set -eu
git log -1 --date=iso8601 --format='tformat:%H%x00%an%x00%ai%x00%cn%x00%ci' | tr -d '\n'
printf '\0%s\0' "$1"
git tag --points-at HEAD | tr '\n' ',' | sed 's/,$//'
printf '\0'
git log -1 --format=%B
printf '\0'
