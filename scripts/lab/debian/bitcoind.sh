#!/bin/bash
# Installs Debian's bitcoind (bitcoin-knots, in sid alone) into the tree $1 and keeps its package in $2.
# Trixie's libraries are new enough for it, so nothing else is taken from sid.
set -euo pipefail
tree=$1
keep=$2

cp --remove-destination /etc/resolv.conf "$tree/etc/resolv.conf"
cat >"$tree/etc/apt/sources.list.d/sid.list" <<'LIST'
deb [check-valid-until=no] http://deb.debian.org/debian sid main
LIST
cat >"$tree/etc/apt/preferences.d/sid" <<'PIN'
Package: *
Pin: release a=unstable
Pin-Priority: 50
PIN
export DEBIAN_FRONTEND=noninteractive
chroot "$tree" apt-get --quiet --quiet -o Acquire::Languages=none update
# Not as the user _apt: the folder is root's, and what apt fetches is verified by it all the same.
chroot "$tree" sh -c 'mkdir /tmp/keep && cd /tmp/keep && apt-get --quiet --quiet -o APT::Sandbox::User=root download bitcoin-knots'
chroot "$tree" sh -c 'apt-get --quiet --quiet install --yes --no-install-recommends /tmp/keep/bitcoin-knots_*.deb'
cp "$tree"/tmp/keep/*.deb "$keep/"
rm -rf "$tree/tmp/keep" "$tree/etc/apt/sources.list.d/sid.list" "$tree/etc/apt/preferences.d/sid" "$tree"/var/lib/apt/lists/*
