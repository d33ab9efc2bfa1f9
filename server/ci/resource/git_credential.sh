#!/bin/sh
# A git credential helper. The configuration names it for the source's own host only,
# so that a submodule elsewhere is never given the password.
if [ "$1" = get ]; then
	printf 'username=%s\npassword=%s\n' "$(cat /opt/git/username)" "$(cat /opt/git/password)"
fi
