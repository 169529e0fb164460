#!/bin/bash
# Installs Eclair, bitcoind and the bootstrap from the upload, whose content was verified before.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
bundle=/var/tmp/eclair-ami

mkdir --parents "$bundle"
tar --extract --file /tmp/eclair-ami.tar --directory "$bundle" --no-same-owner
rm /tmp/eclair-ami.tar
(cd "$bundle" && sha256sum --quiet --check SHA256SUMS)

install --directory --mode=0755 /opt/eclair /usr/share/eclair-ami
unzip -q "$bundle/artifacts/eclair.zip" -d "$bundle/eclair"
cp --recursive --no-target-directory "$bundle"/eclair/*/ /opt/eclair
chown --recursive root:root /opt/eclair
chmod --recursive u=rwX,go=rX /opt/eclair
# Java's AOT cache is valid for one class path only, so the jars have a fixed order: Eclair's own jar is first.
{
  find /opt/eclair/lib -name 'eclair-node*.jar'
  find /opt/eclair/lib -name '*.jar' ! -name 'eclair-node*.jar' | LC_ALL=C sort
} | paste --serial --delimiters=: >/opt/eclair/class-path

case "$BITCOIND_KIND" in
  debian)
    apt-get --quiet --quiet install --yes --no-install-recommends "$bundle/artifacts/bitcoind.deb"
    # The image has its own unit, user and configuration.
    systemctl disable --quiet bitcoin-knots.service
    rm --recursive --force /etc/bitcoin /etc/init.d/bitcoin-knots /etc/profile.d/bitcoin-knots.sh \
      /usr/lib/systemd/system/bitcoin-knots.service /usr/lib/{sysusers,tmpfiles}.d/bitcoin-knots.conf
    userdel bitcoin
    ;;
  release)
    tar --extract --gzip --file "$bundle/artifacts/bitcoin.tar.gz" --directory "$bundle"
    install --mode=0755 "$bundle"/bitcoin-*/bin/bitcoind "$bundle"/bitcoin-*/bin/bitcoin-cli /usr/bin/
    ;;
esac
install --mode=0755 "$bundle/bin/eclair-bootstrap" /usr/bin/eclair-bootstrap

# `validate` does not search these files for secrets: they come from artifacts with verified digests.
find /opt/eclair /usr/bin/eclair-bootstrap /usr/bin/bitcoind /usr/bin/bitcoin-cli -type f -print0 |
  xargs --null sha256sum >/usr/share/eclair-ami/artifacts.sha256
