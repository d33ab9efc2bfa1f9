#!/bin/sh
set -e
version="1.0.0-$(cat shop/.git/short_ref 2>/dev/null || echo dev)"
echo "$version" > package/version
tar -czf package/shop.tgz --exclude .git -C shop .
ls -l package
echo "packaged $version"
