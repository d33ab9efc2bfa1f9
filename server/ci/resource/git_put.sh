# Pushes $REPOSITORY's HEAD to $BRANCH, or a tag.
set -eu
exec 3>&1 1>&2

cd "$REPOSITORY"
if ! git rev-parse -q --verify 'HEAD^{commit}' >/dev/null; then
	echo "fatal: there is no git repository with a commit in params.repository"
	exit 1
fi
git remote add push-target "$URI" 2>/dev/null || git remote set-url push-target "$URI"
# A partial history cannot be rebased on or pushed to what it does not know.
if [ -f .git/shallow ]; then
	git fetch -q --unshallow push-target || true
fi

commit=$(git rev-parse HEAD)
tag=
if [ -n "$TAG_FILE" ]; then
	tag=$TAG_PREFIX$(cat "$TAG_FILE")
fi
force=
[ -z "$FORCE" ] || force=--force

make_tag() {
	[ -n "$tag" ] || return 0
	if [ -n "$ANNOTATE_FILE" ]; then
		git tag -f -a -F "$ANNOTATE_FILE" -- "$tag"
	else
		git tag -f -- "$tag"
	fi
}

push() {
	make_tag
	if [ -n "$ONLY_TAG" ]; then
		git push $force push-target "refs/tags/$tag"
	elif [ -n "$tag" ]; then
		git push $force push-target "HEAD:refs/heads/$BRANCH" "refs/tags/$tag"
	else
		git push $force push-target "HEAD:refs/heads/$BRANCH"
	fi
}

adapt() {
	git fetch -q push-target "refs/heads/$BRANCH"
	if [ "$MODE" = rebase ]; then
		git rebase FETCH_HEAD
	else
		git checkout -q --detach FETCH_HEAD
		git merge --no-edit "$commit"
	fi
}

if [ "$MODE" = plain ]; then
	push
else
	# Somebody else may push in between: a few honest attempts.
	attempt=1
	while :; do
		adapt
		if push; then break; fi
		attempt=$((attempt + 1))
		if [ "$attempt" -gt 5 ]; then
			echo "fatal: the branch $BRANCH changed during each of five attempts"
			exit 1
		fi
	done
	if [ "$MODE" = merge ] && [ -n "$UNMERGED" ]; then
		git checkout -q --detach "$commit"
	fi
fi

printf '%s\0' "$tag" >&3
/bin/sh /opt/git/describe "$BRANCH" >&3
