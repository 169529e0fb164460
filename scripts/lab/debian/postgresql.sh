#!/bin/bash
# Installs Debian's PostgreSQL into the tree $1.
set -euo pipefail
tree=$1

cp --remove-destination /etc/resolv.conf "$tree/etc/resolv.conf"
export DEBIAN_FRONTEND=noninteractive
chroot "$tree" apt-get --quiet --quiet -o Acquire::Languages=none update
# The package would create a server otherwise.
mkdir --parents "$tree/etc/postgresql-common"
echo 'create_main_cluster = false' >"$tree/etc/postgresql-common/createcluster.conf"
chroot "$tree" sh -c 'apt-get --quiet --quiet install --yes --no-install-recommends postgresql-17'
rm -rf "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/archives/*.deb
