#!/bin/sh
echo "checking $1"
sleep 0.4
find shop -name '*.sh' -print -exec sh -n {} \;
echo "nothing to complain about"
