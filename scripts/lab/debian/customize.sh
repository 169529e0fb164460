#!/bin/bash
# mmdebstrap's customize hook: $1 is the tree. What makes a minimal trixie the lab's stand for Debian's AMI.
set -euo pipefail
tree=$1
here=$(cd "$(dirname "$0")" && pwd)

cp --recursive --no-target-directory "$here/rootfs" "$tree"
chroot "$tree" systemctl enable systemd-networkd systemd-resolved ssh >/dev/null
# cloud-init knows AWS by its DMI tables, which a guest has not, and asks for no token elsewhere:
# where it can't tell, it is EC2.
sed --in-place 's/^IDMSV2_SUPPORTED_CLOUD_PLATFORMS = .*/IDMSV2_SUPPORTED_CLOUD_PLATFORMS = [CloudNames.AWS, CloudNames.UNKNOWN]/' \
  "$tree/usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py"
grep --quiet 'AWS, CloudNames.UNKNOWN' "$tree/usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py"
# Host keys and the machine id are made at an instance's first boot.
rm -f "$tree"/etc/ssh/ssh_host_*
: >"$tree/etc/machine-id"
rm -f "$tree/var/lib/dbus/machine-id" "$tree/etc/hostname"
rm -rf "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/*.bin
