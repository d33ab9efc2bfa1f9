# Lists the commits of $BRANCH, oldest first, from $KNOWN on; $@ are paths to look at.
set -eu
exec 3>&1 1>&2

want=HEAD
[ -z "$BRANCH" ] || want="refs/heads/$BRANCH"

repository=$(mktemp -d)
begin() {
	git init -q --bare "$repository"
	cd "$repository"
	git remote add origin "$URI"
	git config remote.origin.promisor true
	git config remote.origin.partialclonefilter "$1"
}

if [ "$TAGS" = 1 ]; then
	begin tree:0
	if [ -n "$BRANCH" ]; then
		git fetch -q --tags --filter=tree:0 origin "+$want:refs/check"
		set -- --merged refs/check
	else
		git fetch -q --filter=tree:0 origin '+refs/tags/*:refs/tags/*'
		set --
	fi
	[ -z "$TAG_FILTER" ] || set -- "$@" --list "$TAG_FILTER"
	git tag --sort=creatordate --format='%(refname:strip=2)	%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)' "$@" >&3
	exit 0
fi

# The cheapest question first: most checks find nothing new.
refs=$(git ls-remote "$URI" "$want")
head=
while read -r commit name; do
	if [ "$name" = "$want" ]; then head=$commit; fi
done <<END
$refs
END
if [ -z "$head" ]; then
	echo "fatal: Remote branch ${BRANCH:-HEAD} not found in $URI"
	exit 1
fi
if [ "$head" = "$KNOWN" ]; then
	echo "$head" >&3
	exit 0
fi
if [ -z "$KNOWN" ] && [ -n "$NO_SKIP" ] && [ $# -eq 0 ] && [ "$DEPTH" = 1 ]; then
	echo "$head" >&3
	exit 0
fi

# Commits are enough to read messages; paths need the folders, nothing needs the files.
filter=tree:0
[ $# -eq 0 ] || filter=blob:none
begin "$filter"

list() {
	if [ -z "$NO_SKIP" ]; then
		git rev-list --first-parent --invert-grep --grep='\[ci\sskip\]' --grep='\[skip\sci\]' "$@"
	else
		git rev-list --first-parent "$@"
	fi
}

if [ -z "$KNOWN" ] && [ $# -eq 0 ] && [ "$DEPTH" = 1 ]; then
	git fetch -q --no-tags --depth 1 --filter="$filter" origin "+$want:refs/check"
	found=$(list refs/check)
	if [ -n "$found" ]; then
		echo "$found" >&3
		exit 0
	fi
	git fetch -q --no-tags --unshallow --filter="$filter" origin "+$want:refs/check"
else
	git fetch -q --no-tags --filter="$filter" origin "+$want:refs/check"
fi

# After a forced push the known commit may be gone: begin again with the newest.
# The list is asked, not the object: asking for it would fetch it.
if [ -n "$KNOWN" ] && git rev-list refs/check | grep -qx "$KNOWN"; then
	list --reverse refs/check --not "$KNOWN^@" -- "$@" >&3
else
	list -n "$DEPTH" --reverse refs/check -- "$@" >&3
fi
