#!/bin/bash
# Eclair and bitcoind, as they were verified before the upload, and the bootstrap.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
stage=/var/tmp/eclair-ami

mkdir --parents "$stage"
tar --extract --file /tmp/eclair-ami.tar --directory "$stage" --no-same-owner
rm /tmp/eclair-ami.tar
(cd "$stage" && sha256sum --quiet --check SHA256SUMS)

install --directory --mode=0755 /opt/eclair /usr/share/eclair-ami
unzip -q "$stage/artifacts/eclair.zip" -d "$stage/eclair"
cp --recursive --no-target-directory "$stage"/eclair/*/ /opt/eclair
chown --recursive root:root /opt/eclair
chmod --recursive u=rwX,go=rX /opt/eclair
# Java's AOT cache is bound to the class path: jars by name and in a fixed order, Eclair's own first.
{
  find /opt/eclair/lib -name 'eclair-node*.jar'
  find /opt/eclair/lib -name '*.jar' ! -name 'eclair-node*.jar' | LC_ALL=C sort
} | paste --serial --delimiters=: >/opt/eclair/class-path

case "$BITCOIND_KIND" in
  debian)
    apt-get --quiet --quiet install --yes --no-install-recommends "$stage/artifacts/bitcoind.deb"
    # Unit, user and configuration are the image's own.
    systemctl disable --quiet bitcoin-knots.service systemd-networkd-wait-online.service
    rm --recursive --force /etc/bitcoin /etc/init.d/bitcoin-knots /etc/profile.d/bitcoin-knots.sh \
      /usr/lib/systemd/system/bitcoin-knots.service /usr/lib/{sysusers,tmpfiles}.d/bitcoin-knots.conf
    userdel bitcoin
    ;;
  release)
    tar --extract --gzip --file "$stage/artifacts/bitcoin.tar.gz" --directory "$stage"
    install --mode=0755 "$stage"/bitcoin-*/bin/bitcoind "$stage"/bitcoin-*/bin/bitcoin-cli /usr/bin/
    ;;
esac
install --mode=0755 "$stage/bin/eclair-bootstrap" /usr/bin/eclair-bootstrap

# What validate may take as it is: these files came out of artifacts whose digests were verified.
find /opt/eclair /usr/bin/eclair-bootstrap /usr/bin/bitcoind /usr/bin/bitcoin-cli -type f -print0 |
  xargs --null sha256sum >/usr/share/eclair-ami/artifacts.sha256
