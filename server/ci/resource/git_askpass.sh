#!/bin/sh
# ssh asks this for the passphrase of its key.
cat /opt/git/passphrase
