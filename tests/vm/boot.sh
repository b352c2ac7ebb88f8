#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The guest image boots without a GPU, runs the command of the kernel parameter venera.run,
# reports its output and exit code, and powers off. Skipped when there is no image or no QEMU.
set -eu

src=$(cd "$(dirname "$0")/../.." && pwd -P)
guest=${VENERA_GUEST:-$src/build/guest}
limit=120 # s, for a machine with other things to do; alone it takes 6

skip() {
	echo "skipped: $1"
	exit 77
}

for f in vmlinuz initrd.img disk.ext4; do
	[ -e "$guest/$f" ] || skip "no $guest/$f; make it with guest/image/build"
done
command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"

# /dev/kvm can exist where it cannot work.
accel=tcg,thread=multi
if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
	accel=kvm
fi

console=$(mktemp)
trap 'rm -f "$console"' EXIT
code=0
timeout "$limit" qemu-system-x86_64 -machine q35 -accel "$accel" -cpu max -smp 2 -m 1G \
	-nodefaults -display none -no-reboot -serial "file:$console" \
	-kernel "$guest/vmlinuz" -initrd "$guest/initrd.img" \
	-append 'console=ttyS0 quiet panic=-1 venera.run="uname -n -s; echo %22a%20b%22; exit 7"' \
	-drive "file=$guest/disk.ext4,if=virtio,format=raw,snapshot=on" </dev/null || code=$?

fail() {
	echo "failed: $1; the console said:"
	cat "$console"
	exit 1
}

[ $code -eq 0 ] || fail "QEMU ended with code $code (124: not within $limit s)"
expect() {
	tr -d '\r' <"$console" | grep -qx "$1" || fail "no line '$1'"
}
expect 'Linux venera-guest'
expect 'a b'
expect 'venera.run: exit 7'
