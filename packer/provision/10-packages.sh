#!/bin/bash
# Installs the Debian packages that a node needs, and removes packages that an image does not need.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# A base image of --source-owner can be any image.
# shellcheck source=/dev/null
. /etc/os-release
if [ "$ID $VERSION_ID" != "debian 13" ]; then
  echo "the base image is $ID ${VERSION_ID:-of no version}, and only Debian 13 is supported: correct --source-name" >&2
  exit 1
fi

# A failed bake discards the image, so dpkg does not need to wait for the disk.
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/bake
# No service starts while the image is built.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

apt-get --quiet --quiet -o Acquire::Languages=none update
apt-get --quiet --quiet install --yes --no-install-recommends \
  chrony \
  e2fsprogs \
  nftables \
  openjdk-25-jre-headless \
  unzip
apt-get --quiet --quiet purge --yes unattended-upgrades systemd-timesyncd >/dev/null
apt-get --quiet --quiet autoremove --yes --purge >/dev/null
