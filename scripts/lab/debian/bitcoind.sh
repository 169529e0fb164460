#!/bin/bash
# Installs Debian's bitcoind into the tree $1 and copies the package to $2.
# Only sid contains the package (bitcoin-knots). Trixie's libraries are recent enough for it.
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
# The folder belongs to root, so the user _apt cannot write to it. apt verifies the package in any case.
chroot "$tree" sh -c 'mkdir /tmp/keep && cd /tmp/keep && apt-get --quiet --quiet -o APT::Sandbox::User=root download bitcoin-knots'
chroot "$tree" sh -c 'apt-get --quiet --quiet install --yes --no-install-recommends /tmp/keep/bitcoin-knots_*.deb'
cp "$tree"/tmp/keep/*.deb "$keep/"
rm -rf "$tree/tmp/keep" "$tree/etc/apt/sources.list.d/sid.list" "$tree/etc/apt/preferences.d/sid" "$tree"/var/lib/apt/lists/*
