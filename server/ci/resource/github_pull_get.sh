# Brings pull request $PR at $COMMIT together with the newest $BASE; $@ are nothing.
set -eu
exec 3>&1 1>&2

destination=/tmp/build/get

set_of_arguments() {
	[ "$DEPTH" = 0 ] || printf '%s\n' --depth "$DEPTH"
	[ -n "$FETCH_TAGS" ] || echo --no-tags
}
git clone --no-checkout --single-branch --branch "$BASE" $(set_of_arguments) -- "$URI" "$destination"
cd "$destination"
git fetch -q $(set_of_arguments) origin "+refs/pull/$PR/head:refs/remotes/origin/pull/$PR"
# The pull request may have moved on since the version was found.
git rev-parse -q --verify "$COMMIT^{commit}" >/dev/null || git fetch -q origin "$COMMIT"

base=$(git rev-parse "refs/remotes/origin/$BASE")
# A partial history may not reach back to where the two parted: dig, twice as deep each time.
if [ "$DEPTH" != 0 ]; then
	deepen=$DEPTH
	while ! git merge-base "$base" "$COMMIT" >/dev/null && [ -f .git/shallow ]; do
		git fetch -q --deepen "$deepen" origin "refs/heads/$BASE" "refs/pull/$PR/head"
		deepen=$((deepen * 2))
		[ "$deepen" -lt 100000 ] || git fetch -q --unshallow origin || break
	done
fi
parted=$(git merge-base "$base" "$COMMIT" || echo "$base")

case "$TOOL" in
checkout)
	git checkout -q -B "pr-$PR" "$COMMIT"
	;;
rebase)
	git checkout -q -B "pr-$PR" "$COMMIT"
	git rebase "$base"
	;;
*)
	git checkout -q -B "$BASE" "$base"
	git merge --no-stat --no-edit "$COMMIT"
	;;
esac
git log -1 --oneline

if [ -n "$SUBMODULES" ] && [ -f .gitmodules ]; then
	git submodule -q sync
	git submodule update --init --recursive
fi

mkdir -p .git/resource
for file in /opt/git/resource/*; do
	sed -e "s/@BASE_SHA@/$base/" "$file" >".git/resource/${file##*/}"
done
[ -z "$CHANGED" ] || git diff --name-only "$parted" "$COMMIT" >.git/resource/changed_files
printf '%s' "$base" >&3
