#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_demo.sh BUILD-FOLDER: make demo, as a test of that build. Its pictures and logs are in
# build/demo afterwards.
set -eu

src=$(cd "$(dirname "$0")/../.." && pwd -P)
if [ ! -e "$src/build/guest/disk.ext4" ]; then
	echo "skipped: no guest image; make it with make image"
	exit 77
fi
VENERA_BUILD=$1 exec "$src/tools/demo"
