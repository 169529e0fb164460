// The controller of the lab: the API, the metadata service, and the loop that makes the lab match moto's state. The
// controller can be killed and restarted at any time: it can read again what it needs. Only a target that was deregistered some
// seconds before leaves its load balancer early.
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { apiPort, services } from "../addresses.ts";
import { setLeases, setNames } from "../dns/dnsmasq.ts";
import { ClientTokens } from "../front/client-tokens.ts";
import { apiServer } from "../front/server.ts";
import { applyHopLimits, hopLimitRules } from "../imds/hop-limit.ts";
import { listen, metadataServer } from "../imds/server.ts";
import { labPaths } from "../paths.ts";
import { labAuthority } from "../rds/certificates.ts";
import { refusalOf } from "./access.ts";
import { Attachments } from "./attachments.ts";
import { ec2Calls } from "./calls/ec2.ts";
import { elbCalls } from "./calls/elb.ts";
import { rdsCalls } from "./calls/rds.ts";
import { scalingCalls } from "./calls/scaling.ts";
import { Databases } from "./databases.ts";
import { Instances } from "./instances.ts";
import { LoadBalancers } from "./load-balancers.ts";
import { hopLimitsOf, metadataSource } from "./metadata.ts";
import { MotoCache } from "./moto-cache.ts";
import { serialQueue, sharedRuns } from "./one-at-a-time.ts";
import { Roles } from "./roles.ts";
import { Groups } from "./scaling.ts";

const intervalMilliseconds = 250;

const [stateFolder, linkAddress] = process.argv.slice(2);
if (stateFolder === undefined || linkAddress === undefined)
  throw new Error("usage: main.ts STATE-FOLDER LINK-ADDRESS");
const lab = labPaths(stateFolder);
const cache = new MotoCache();
const instances = new Instances(lab, cache);
const attachments = new Attachments(instances, cache);
const databases = new Databases(lab);
const loadBalancers = new LoadBalancers(instances);
const groups = new Groups(instances);
const roles = new Roles();

let appliedHopLimits = "";
/** The instances that the load balancers were last configured for. */
let appliedTargets = "";

/** Network settings come first: a guest requests its address and its metadata when it starts. */
async function reconcile(): Promise<void> {
  await instances.reconcile();
  const managed = [...instances.managed.values()];
  setLeases(
    lab,
    managed.flatMap(({ instance, machine }) =>
      instance.PrivateIpAddress === undefined
        ? []
        : [{ macAddress: machine.port.macAddress, privateIp: instance.PrivateIpAddress }],
    ),
  );
  const limits = hopLimitsOf(instances);
  if (hopLimitRules(limits) !== appliedHopLimits) {
    await applyHopLimits(limits);
    appliedHopLimits = hopLimitRules(limits);
  }
  await attachments.reconcile();
  const targets = [...instances.managed.values()]
    .map(({ instance }) => `${instance.InstanceId} ${instance.PrivateIpAddress} ${instance.State?.Name}`)
    .join("\n");
  if (targets !== appliedTargets) {
    await reconcileLoadBalancers();
    appliedTargets = targets;
  }
}

const databaseQueue = serialQueue();

const reconcileLoadBalancers = sharedRuns(async () => {
  await loadBalancers.reconcile();
  await applyNames();
});

async function followHealth(): Promise<void> {
  if (loadBalancers.isDue) await reconcileLoadBalancers();
  if (await loadBalancers.followHealth()) await applyNames();
}

const reconcileDatabases = sharedRuns(async () => {
  await databaseQueue(() => databases.reconcile());
  await applyNames();
});

const applyNames = sharedRuns(async () => {
  const balancers = await loadBalancers.names();
  const servers = [...databases.servers.values()];
  setNames(lab, new Map([...balancers, ...servers.map(({ host, address }) => [host, [address]] as const)]));
});

const requestReconcile = sharedRuns(reconcile);

await labAuthority(lab);
await reconcileDatabases();
await listen(metadataServer(metadataSource(instances, groups, cache)));
const clientTokens = new ClientTokens();
// Guests use the service address of the API, and this machine uses the lab's end of the link.
for (const address of [services.api, linkAddress]) {
  const api = apiServer({
    interceptors: [
      ec2Calls(instances, attachments, requestReconcile),
      elbCalls(loadBalancers, reconcileLoadBalancers),
      rdsCalls(reconcileDatabases, (identifier) =>
        databaseQueue(() => databases.rotateMasterPassword(identifier)),
      ),
      scalingCalls(groups),
      roles.calls,
    ],
    clientTokens,
    accountOf: async (signer) => await roles.accountOf(signer),
    refusalOf: async (request) => await refusalOf(lab, roles, request),
    onChange: (service, call) => {
      cache.invalidate();
      loadBalancers.noteChange(service, call);
    },
  });
  await new Promise<void>((resolve, reject) => {
    api.once("error", reject);
    api.listen(apiPort, address, resolve);
  });
}
console.log("the controller runs");

for (;;) {
  await requestReconcile().catch((error: unknown) => console.error(`reconcile: ${messageOf(error)}`));
  await followHealth().catch((error: unknown) => console.error(`health: ${messageOf(error)}`));
  await groups.reconcile().catch((error: unknown) => console.error(`auto scaling: ${messageOf(error)}`));
  await sleep(intervalMilliseconds);
}
