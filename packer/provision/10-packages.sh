#!/bin/bash
# Debian's packages: what the node runs on comes, what an image has no use for goes.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# The image is thrown away when the bake fails half-way: nothing is gained by waiting for the disk.
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/bake
# No service is to start while the image is made.
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
