import { RunInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { readFileSync } from "node:fs";
import { expect, inject, test } from "vitest";
import { Manifest } from "../../scripts/bake/manifest.ts";
import { labPlace } from "../../scripts/lab/place.ts";
import { labTarget } from "../../scripts/target/target.ts";
import { cli, eventually, inGuest } from "./cli.ts";

const state = inject("labState");
const zip = process.env["ECLAIR_ZIP"];

/** A node of the test's own: regtest, no peers, Eclair's SQLite database, all of it in RAM. */
const node = `
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
chown eclair:eclair /run/eclair/eclair.conf
ECLAIR_JAVA_OPTS=-Xlog:aot setpriv --reuid=eclair --regid=eclair --clear-groups \
  /opt/eclair/bin/eclair-run -Declair.datadir=/run/eclair > /run/node/eclair.log 2>&1 &
for i in $(seq 300); do (exec 3<>/dev/tcp/127.0.0.1/9735) 2>/dev/null && break; sleep 0.1; done
(exec 3<>/dev/tcp/127.0.0.1/9735) && echo listening
cat /run/node/eclair.log
kill -KILL $!`;

test.skipIf(zip === undefined)("the real Eclair starts with the cache that the bake trained", async () => {
  const baked = await cli(["bake", "--fallback", "--json", "--state", state, "--eclair", zip ?? ""]);
  expect(baked.exitCode, baked.all).toBe(0);
  const { manifest: file } = JSON.parse(baked.stdout.trim().split("\n").at(-1) ?? "") as { manifest: string };
  const manifest = Manifest.parse(JSON.parse(readFileSync(file, "utf8")));
  expect(manifest.inputs.eclair.kind).toBe("real");
  expect(manifest.packages.map((item) => item.name)).not.toContain("postgresql-17");

  const target = labTarget(labPlace(state));
  const { Instances } = await target.ec2.send(
    new RunInstancesCommand({
      ImageId: manifest.image.id,
      MinCount: 1,
      MaxCount: 1,
      InstanceType: "t3.medium",
      SubnetId: target.instance.subnetId,
    }),
  );
  const id = Instances?.[0]?.InstanceId ?? "";
  await eventually("the instance to boot", async () => {
    const { stdout } = await inGuest(state, id, "systemctl is-system-running");
    return stdout.trim() === "running" ? true : undefined;
  });
  const left = await inGuest(
    state,
    id,
    "find / -xdev -name '*seed.dat' -o -xdev -name 'eclair.log*'; getent passwd postgres",
  );
  expect(left.stdout).toBe("");
  const started = await cli(["lab", "shell", "--state", state, id, "bash", "-c", node]);
  expect(started.stdout).toMatch(/^listening$/m);
  expect(started.stdout).toMatch(/Opened AOT cache \/opt\/eclair\/eclair\.aot/);
  await target.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
});
