#!/bin/bash
# Removes everything that belongs to the builder only. `validate` searches for the same files, see bootstrap/validate.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# From now on nothing, including the shutdown, writes a log to the disk.
mkdir --parents /run/systemd/journald.conf.d
printf '[Journal]\nStorage=volatile\nForwardToConsole=yes\n' >/run/systemd/journald.conf.d/99-bake.conf
systemctl restart systemd-journald.service
systemctl stop systemd-random-seed.service 2>/dev/null || true
systemctl stop unattended-upgrades.service 2>/dev/null || true

rm --recursive --force /var/tmp/eclair-ami /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/bake
apt-get --quiet --quiet clean
rm --recursive --force /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
rm --force /var/cache/debconf/*-old /var/lib/dpkg/*-old

rm --force /etc/netplan/50-cloud-init.yaml
rm --recursive --force /var/lib/cloud/* /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
rm --recursive --force /var/lib/chrony/* /var/lib/dhcp/* /var/crash/* /var/lib/systemd/coredump/*
find /var/log -type f -delete
rm --recursive --force /var/log/journal/*
rm --force /etc/ssh/ssh_host_*
: >/etc/machine-id
rm --force /var/lib/dbus/machine-id /etc/hostname
find /root /home -maxdepth 2 \( -name '.*_history' -o -name .lesshst -o -name .cache -o -name .ssh -o -name .aws \) -exec rm --recursive --force {} +
find /tmp /var/tmp -mindepth 1 -maxdepth 1 ! -name 'script_*.sh' ! -name 'systemd-private-*' -exec rm --recursive --force {} +
