#!/bin/bash
# Copies the rootfs tree into the system, creates the service users and enables the units.
set -euo pipefail
bundle=/var/tmp/eclair-ami

# The modes do not depend on the umask of the checkout.
chmod --recursive u=rwX,go=rX "$bundle/rootfs" "$bundle/templates"
cp --recursive --remove-destination --no-dereference --no-preserve=ownership --no-target-directory "$bundle/rootfs" /
cp --recursive --no-target-directory "$bundle/templates" /usr/share/eclair-ami/templates
chmod --recursive u=rwX,go=rX /usr/share/eclair-ami

systemd-sysusers
install --directory --owner=bitcoin --group=bitcoin --mode=0750 /var/lib/bitcoin

systemctl daemon-reload
systemctl enable --quiet eclair-bootstrap.service nftables.service chrony.service
systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer
systemctl disable --quiet apt-daily.timer apt-daily-upgrade.timer 2>/dev/null || true
rm --force /etc/systemd/system/timers.target.wants/apt-daily{,-upgrade}.timer

install --mode=0644 "$bundle/image.json" /usr/share/eclair-ami/image.json
install --mode=0644 "$bundle/eclair-settings.json" /usr/share/eclair-ami/eclair-settings.json
