/**
 * A shell script that creates a separate node inside an instance, in RAM: bitcoind on regtest with 150 blocks and a wallet,
 * and a configuration of Eclair with its SQLite database and without peers.
 */
export const regtestNode = `
install -d -o eclair -g eclair -m 700 /run/eclair
install -d -o bitcoin -g bitcoin /run/node
setpriv --reuid=bitcoin --regid=bitcoin --clear-groups bitcoind -regtest -datadir=/run/node -daemonwait -txindex=1 \
  -listen=0 -connect=0 -rpcuser=t -rpcpassword=t -fallbackfee=0.0001 \
  -zmqpubhashblock=tcp://127.0.0.1:29000 -zmqpubrawtx=tcp://127.0.0.1:29001 >/dev/null
cli="bitcoin-cli -regtest -rpcuser=t -rpcpassword=t"
$cli createwallet test >/dev/null
$cli generatetoaddress 150 "$($cli getnewaddress '' bech32)" >/dev/null
cat > /run/eclair/eclair.conf <<'CONF'
eclair { chain = regtest, api { enabled = false }
  bitcoind { rpcport = 18443, rpcuser = t, rpcpassword = t, wallet = test,
    zmqblock = "tcp://127.0.0.1:29000", zmqtx = "tcp://127.0.0.1:29001" } }
CONF
chown eclair:eclair /run/eclair/eclair.conf`;

/** A shell script that starts Eclair of that node, with these environment variables. */
export const startEclair = (environment = "") => `
${environment} ECLAIR_JAVA_OPTS=-Xlog:aot setpriv --reuid=eclair --regid=eclair --clear-groups \
  /opt/eclair/bin/eclair-run -Declair.datadir=/run/eclair > /run/node/eclair.log 2>&1 &`;
