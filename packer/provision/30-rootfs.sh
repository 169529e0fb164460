#!/bin/bash
# Lays the literal tree over the system, makes the service users and says what starts at boot.
set -euo pipefail
stage=/var/tmp/eclair-ami

# The checkout's umask is no part of an image.
chmod --recursive u=rwX,go=rX "$stage/rootfs" "$stage/templates"
cp --recursive --remove-destination --no-dereference --no-preserve=ownership --no-target-directory "$stage/rootfs" /
cp --recursive --no-target-directory "$stage/templates" /usr/share/eclair-ami/templates
chmod --recursive u=rwX,go=rX /usr/share/eclair-ami

systemd-sysusers
install --directory --owner=bitcoin --group=bitcoin --mode=0750 /var/lib/bitcoin

systemctl daemon-reload
systemctl enable --quiet eclair-bootstrap.service nftables.service chrony.service
systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer
systemctl disable --quiet apt-daily.timer apt-daily-upgrade.timer 2>/dev/null || true
rm --force /etc/systemd/system/timers.target.wants/apt-daily{,-upgrade}.timer

install --mode=0644 "$stage/image.json" /usr/share/eclair-ami/image.json
