#!/bin/bash
# Verifies the cleanup. The bake fails when `validate` has a finding.
set -euo pipefail
# Packer's copies of these scripts are no longer needed.
rm --force /tmp/script_*.sh
mkdir --parents /run/eclair-ami
dpkg-query --show --showformat='ECLAIR-AMI-PACKAGE ${Package} ${Version} ${Installed-Size}\n'
echo "ECLAIR-AMI-SIZE $(df --block-size=1 --output=used / | tail -n 1) $(du --summarize --block-size=1 /opt/eclair | cut -f 1) $(stat --format=%s /usr/bin/eclair-bootstrap)"
java -version 2>&1 | sed --quiet 's/^openjdk version "\([^"]*\)".*/ECLAIR-AMI-JAVA \1/p'
exec /usr/bin/eclair-bootstrap validate --as image
