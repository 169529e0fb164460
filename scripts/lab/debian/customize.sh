#!/bin/bash
# The customize hook of mmdebstrap: turns a minimal trixie in the tree $1 into the lab's version of Debian's AMI.
set -euo pipefail
tree=$1
here=$(cd "$(dirname "$0")" && pwd)

cp --recursive --no-target-directory "$here/rootfs" "$tree"
chroot "$tree" systemctl enable systemd-networkd systemd-resolved ssh >/dev/null
# cloud-init recognises AWS by DMI tables, which a guest does not have, and takes the unknown platform for AWS here. On AWS, its
# local stage reads the metadata and writes the netplan file of the instance's network.
source="$tree/usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py"
sed --in-place 's/lambda x: CloudNames.UNKNOWN,/lambda x: CloudNames.AWS,/' "$source"
grep --quiet 'lambda x: CloudNames.AWS,' "$source"
# The first boot of an instance creates the host keys and the machine id.
rm -f "$tree"/etc/ssh/ssh_host_*
: >"$tree/etc/machine-id"
rm -f "$tree/var/lib/dbus/machine-id" "$tree/etc/hostname"
rm -rf "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/*.bin
