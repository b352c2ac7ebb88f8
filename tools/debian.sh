# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Sourced by the scripts that make Debian systems: the development root and the
# guest image. Expects $cache, the folder in which downloaded packages are kept.

debian_suite=trixie

# The packages named in a list file, on one line.
debian_packages() {
	sed 's/#.*//' "$1" | tr -s ' \t\n' ' ' | sed 's/^ //; s/ $//'
}

# debian_as_root COMMAND...: as root, or as root of a user namespace. There, files made by
# "root" are the user's own outside, as they are with tools/in-root.
debian_as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		unshare --user --map-root-user --map-auto --mount -- "$@"
	fi
}

# A mirror this machine already uses ($1: how its path ends), or the default $2.
debian_mirror() {
	local found
	found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
		/etc/apt/sources.list.d/*.sources 2>/dev/null |
		sed 's/#.*//' | grep -oE "https?://[^] \"]+/$1/?( |\$)" | head -n 1 | tr -d ' ' || true)
	echo "${found:-$2}"
}

debian_sources() {
	local main security
	main=$(debian_mirror debian http://deb.debian.org/debian)
	security=$(debian_mirror debian-security http://deb.debian.org/debian-security)
	echo "deb $main $debian_suite main"
	echo "deb $main $debian_suite-updates main"
	echo "deb $security $debian_suite-security main"
	echo "deb $main $debian_suite-backports main"
}

# debian_mmdebstrap TARGET OPTION...: mmdebstrap with our sources, the host's way to the
# network, the package cache (packages are linked, so the target must be on the same
# file system), and without documentation, a fifth of it all.
debian_mmdebstrap() {
	local target=$1 line name value options=()
	shift
	# Proxy, clock and retry settings of the host's own apt hold for us too.
	while IFS= read -r line; do
		name=${line%% *}
		value=${line#* }
		[ "$value" = '"";' ] || options+=("--aptopt=$name $value")
	done < <(apt-config dump 2>/dev/null |
		grep -E '^Acquire::(http|https|Retries|Check-Valid-Until|Check-Date|ForceIPv[46])[: ]' || true)
	debian_sources | mmdebstrap --mode=root "${options[@]}" \
		--aptopt='APT::Default-Release "'"$debian_suite"'-backports"' \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Languages "none"' \
		--aptopt='Dpkg::Use-Pty "false"' \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/icons/*' \
		--skip=download/empty --skip=essential/unlink \
		--setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
		--setup-hook="find '$cache' -name '*.deb' -exec cp -alft \"\$1/var/cache/apt/archives\" {} +" \
		"$@" \
		--customize-hook="find \"\$1/var/cache/apt/archives\" -name '*.deb' -exec cp -alft '$cache' {} +" \
		"$debian_suite" "$target" -
}

# Removes a tree, parts of which belong to subordinate ids.
debian_remove() {
	[ ! -e "$1" ] || debian_as_root rm -rf --one-file-system -- "$1"
}
