#!/bin/sh
exec java -cp "$(dirname "$0")/../lib/*" fr.acinq.eclair.Boot "$@"
