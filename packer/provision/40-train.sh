#!/bin/bash
# Runs Eclair once, with bitcoind and PostgreSQL whose data is in RAM, so that Java writes an AOT cache of the classes that
# it loaded and compiled. With the cache, Eclair starts much faster. Eclair's configuration has the settings of a node: the bake
# fails when this Eclair refuses one of them.
set -euo pipefail
[ "$ECLAIR_KIND" = real ] || exit 0
export DEBIAN_FRONTEND=noninteractive

ram=/run/eclair-training
# The certificate of the database is here on a node as well.
run=/run/eclair-ami
install --directory --mode=0755 "$ram" "$run"
mount -t tmpfs -o size=2G,noswap tmpfs "$ram" 2>/dev/null || mount -t tmpfs -o size=2G tmpfs "$ram"

finish() {
  set +e
  [ -n "${eclair_pid:-}" ] && kill -KILL "$eclair_pid" 2>/dev/null
  [ -n "${bitcoind_pid:-}" ] && kill -KILL "$bitcoind_pid" 2>/dev/null
  [ -n "${postgres_bin:-}" ] && runuser --user postgres -- "$postgres_bin/pg_ctl" --silent -D "$ram/postgres" -m immediate stop
  wait
  umount "$ram"
  rm --recursive "$ram" "$run"
  apt-get --quiet --quiet purge --yes 'postgresql*' libpq5 ssl-cert >/dev/null 2>&1
  apt-get --quiet --quiet autoremove --yes --purge >/dev/null 2>&1
  userdel postgres 2>/dev/null
  rm --recursive --force /var/lib/postgresql /var/log/postgresql /etc/postgresql /etc/postgresql-common /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem
}
trap finish EXIT
trap 'echo "the training run failed in line $LINENO: $BASH_COMMAND" >&2' ERR

mkdir --parents /etc/postgresql-common
echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
apt-get --quiet --quiet install --yes --no-install-recommends postgresql >/dev/null
postgres_bin=$(dirname "$(find /usr/lib/postgresql -name pg_ctl)")
install --directory --owner=postgres --group=postgres --mode=0700 "$ram/postgres"
# As on a node, Eclair connects with TLS, a verified certificate and a password, so that the cache contains these classes.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout "$ram/server.key" -out "$ram/server.pem" 2>/dev/null
chown postgres:postgres "$ram/server.key"
install --mode=0644 "$ram/server.pem" "$run/database-ca.pem"
echo training >"$ram/password"
chown postgres:postgres "$ram/password"
runuser --user postgres -- "$postgres_bin/initdb" --username=training --auth=scram-sha-256 --pwfile="$ram/password" --no-sync -D "$ram/postgres" >/dev/null
runuser --user postgres -- "$postgres_bin/pg_ctl" --silent -D "$ram/postgres" -l "$ram/postgres/log" \
  -o "-c unix_socket_directories=$ram -c listen_addresses=localhost -c port=5433 -c ssl=on -c ssl_cert_file=$ram/server.pem -c ssl_key_file=$ram/server.key" start
PGPASSWORD=training runuser --user postgres -- psql --quiet --host=127.0.0.1 --port=5433 --username=training --dbname=postgres -c 'create database eclair' >/dev/null

install --directory --owner=bitcoin --group=bitcoin "$ram/bitcoin"
# On the ports of the gate, which Eclair uses on a node.
rpc=(-regtest -datadir="$ram/bitcoin" -rpcport=8339 -rpcuser=training -rpcpassword=training)
setpriv --reuid=bitcoin --regid=bitcoin --clear-groups bitcoind "${rpc[@]}" -txindex=1 -listen=0 -connect=0 -fallbackfee=0.0001 \
  -zmqpubhashblock=tcp://127.0.0.1:29002 -zmqpubrawtx=tcp://127.0.0.1:29002 >"$ram/bitcoind.log" 2>&1 &
bitcoind_pid=$!
cli=(bitcoin-cli "${rpc[@]}")
"${cli[@]}" -rpcwait createwallet training >/dev/null
address=$("${cli[@]}" getnewaddress "" bech32)
"${cli[@]}" generatetoaddress 150 "$address" >/dev/null

install --directory --owner=eclair --group=eclair --mode=0700 "$ram/eclair"
eclair-bootstrap training-configuration >"$ram/eclair/eclair.conf"
chown eclair:eclair "$ram/eclair/eclair.conf"
chown eclair:eclair "$ram"
# setpriv executes Eclair's start script, which executes Java, so the process id is that of Java.
ECLAIR_AOT_OUTPUT="$ram/eclair.aot" ECLAIR_SLOT_OPTS="-Declair.server.binding-ip=127.0.0.1" setpriv --reuid=eclair --regid=eclair --clear-groups \
  /opt/eclair/bin/eclair-run -Declair.datadir="$ram/eclair" >"$ram/eclair.log" 2>&1 &
eclair_pid=$!

# Eclair binds its API shortly after its port.
api() { curl --silent --show-error --fail --max-time 10 --retry 20 --retry-delay 1 --retry-connrefused --user :training "http://127.0.0.1:8080/$1" -X POST "${@:2}"; }
listening() { (exec 3<>/dev/tcp/127.0.0.1/9735) 2>/dev/null; }
for _ in $(seq 1 600); do
  if listening; then break; fi
  kill -0 "$eclair_pid" 2>/dev/null || { grep --invert-match '\[aot\]' "$ram/eclair.log" | tail -n 30 >&2; echo "Eclair ended during its training run" >&2; exit 1; }
  sleep 0.1
done
listening || { grep --invert-match '\[aot\]' "$ram/eclair.log" | tail -n 30 >&2; echo "Eclair did not listen within 60 s of its training run" >&2; exit 1; }

# Some of the work of a node: an invoice, the state of the node, a block.
api getinfo >/dev/null
api createinvoice -d description=training -d amountMsat=1000 >/dev/null
api channels >/dev/null
"${cli[@]}" generatetoaddress 1 "$address" >/dev/null
sleep 1

# Java writes the cache when it exits.
kill -TERM "$eclair_pid"
for _ in $(seq 1 900); do
  kill -0 "$eclair_pid" 2>/dev/null || break
  sleep 0.1
done
[ -s "$ram/eclair.aot" ] || { grep --invert-match '\[aot\]' "$ram/eclair.log" | tail -n 30 >&2; echo "the training run wrote no AOT cache" >&2; exit 1; }
install --owner=root --group=root --mode=0644 "$ram/eclair.aot" /opt/eclair/eclair.aot
sha256sum /opt/eclair/eclair.aot >>/usr/share/eclair-ami/artifacts.sha256
