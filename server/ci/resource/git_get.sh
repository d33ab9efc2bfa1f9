# Clones $BRANCH into the destination and checks $REF out; $@ are submodules wanted.
set -eu
exec 3>&1 1>&2

destination=/tmp/build/get

set_of_arguments() {
	[ -z "$BRANCH" ] || printf '%s\n' --branch "$BRANCH"
	[ -n "$ALL_BRANCHES" ] || echo --single-branch
	[ "$DEPTH" = 0 ] || printf '%s\n' --depth "$DEPTH"
	case "$TAGS" in
	none) echo --no-tags ;;
	all) echo --tags ;;
	esac
}
# Branch names have no blanks, so words are safe to split.
git clone --no-checkout $(set_of_arguments) -- "$URI" "$destination"
cd "$destination"

# Some servers have no notes; the clone is none the worse.
git fetch -q origin '+refs/notes/*:refs/notes/*' 2>/dev/null || true
[ "$TAGS" != all ] || git fetch -q --tags origin

# A shallow clone may not reach back to the commit: dig, twice as deep each time.
has() { git rev-parse -q --verify "$REF^{commit}" >/dev/null; }
if [ "$DEPTH" != 0 ] && ! has; then
	deepen=$DEPTH
	while ! has && [ -f .git/shallow ]; do
		git fetch -q --deepen "$deepen" origin
		deepen=$((deepen * 2))
		[ "$deepen" -lt 100000 ] || git fetch -q --unshallow origin || break
	done
fi
# A commit that left the branch by a forced push can often still be fetched by name.
has || git fetch -q origin "$REF" || true
git checkout -q --force --detach "$REF"
git log -1 --oneline
git clean --force --force -d -q

if [ -f .gitmodules ] && [ "$SUBMODULES" != none ]; then
	set_submodules() {
		[ -z "$RECURSIVE" ] || echo --recursive
		[ -z "$SUBMODULE_REMOTE" ] || echo --remote
		[ "$DEPTH" = 0 ] || printf '%s\n' --depth "$DEPTH"
	}
	git submodule -q sync
	git submodule update --init $(set_submodules) -- "$@"
fi

printf '%s\n' "$FETCH" | while read -r branch; do
	if [ -n "$branch" ]; then
		git fetch -q origin "$branch"
		git branch -q -f "$branch" FETCH_HEAD
	fi
done

if [ -n "$CLEAN_TAGS" ]; then
	git tag | xargs -r git tag -d >/dev/null
fi

escape() { tr -d '\000-\010\013-\037' | sed -e ':a' -e '$!{N' -e 'ba' -e '}' -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/	/\\t/g' -e 's/\n/\\n/g'; }
field() { printf '{"name":"%s","value":"%s"}' "$1" "$(git log -1 --format="$2" | escape)"; }

echo "$REF" >.git/ref
short=$(git rev-parse --short HEAD)
format=${SHORT_REF:-%s}
echo "${format%%%s*}$short${format#*%s}" >.git/short_ref
git log -1 --format=%ae >.git/committer
git log -1 --format=%an >.git/commit_author
git log -1 --format=%B >.git/commit_message
git log -1 --format=%cd --date=iso8601 >.git/commit_timestamp
echo "$BRANCH" >.git/branch
git describe ${DESCRIBE:---always --dirty --broken} >.git/describe_ref
printf '[%s,%s,%s,%s]\n' "$(field commit %H)" "$(field author %an)" "$(field author_date %ai)" "$(field message %B)" >.git/metadata.json

/bin/sh /opt/git/describe "$BRANCH" >&3
