// The lab's controller: the API's front, the metadata service, and the loop that makes moto's words true.
// It keeps nothing in memory that it could not read again, so it may be killed and started at any time.
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../core/failure.ts";
import { inTurn } from "../../core/in-turn.ts";
import { apiPort, services } from "../addresses.ts";
import { allows, askedBy } from "../front/authorize.ts";
import { clusterOfRole } from "../cluster/roles.ts";
import { apiFault } from "../front/faults.ts";
import { apiServer, type ApiRequest, type Refusal } from "../front/server.ts";
import { applyHopLimits, hopLimitRules } from "../imds/hop-limit.ts";
import { listen, metadataServer } from "../imds/server.ts";
import { labPlace } from "../place.ts";
import { labAuthority } from "../rds/certificates.ts";
import { Attachments } from "./attachments.ts";
import { Changes } from "./changes.ts";
import { interceptedCalls } from "./calls.ts";
import { Databases } from "./databases.ts";
import { setLeases, setNames } from "./dns.ts";
import { elbCalls } from "./elb-calls.ts";
import { Instances } from "./instances.ts";
import { LoadBalancers } from "./load-balancers.ts";
import { hopLimitsOf, metadataSource } from "./metadata.ts";
import { rdsCalls } from "./rds-calls.ts";
import { Groups } from "./scaling.ts";
import { scalingCalls } from "./scaling-calls.ts";
import { Roles } from "./roles.ts";

const everyMilliseconds = 250;

const [stateFolder, linkAddress] = process.argv.slice(2);
if (stateFolder === undefined || linkAddress === undefined)
  throw new Error("usage: main.ts STATE-FOLDER LINK-ADDRESS");
const lab = labPlace(stateFolder);
const changes = new Changes();
const instances = new Instances(lab, changes);
const attachments = new Attachments(instances, changes);
const databases = new Databases(lab);
const balancers = new LoadBalancers(instances);
const groups = new Groups(instances);
/** The instances that load balancers were last told of. */
let balanced = "";

let appliedRules = "";

/** One pass: network settings first, since a guest asks for its address and metadata as it starts. */
async function pass(): Promise<void> {
  await instances.reconcile();
  setLeases(
    lab,
    [...instances.managed.values()].flatMap(({ instance, machine }) =>
      instance.PrivateIpAddress === undefined
        ? []
        : [{ macAddress: machine.port.macAddress, privateIp: instance.PrivateIpAddress }],
    ),
  );
  const limits = hopLimitsOf(instances);
  if (hopLimitRules(limits) !== appliedRules) {
    await applyHopLimits(limits);
    appliedRules = hopLimitRules(limits);
  }
  await attachments.reconcile();
  const running = [...instances.managed.values()]
    .map(({ instance }) => `${instance.InstanceId} ${instance.PrivateIpAddress} ${instance.State?.Name}`)
    .join("\n");
  if (running !== balanced) {
    await oneAtATime(balancersChanged);
    balanced = running;
  }
}

/** Changes of databases and load balancers come from calls and from the loop, and are made one at a time. */
const oneAtATime = inTurn();

async function balancersChanged(): Promise<void> {
  await balancers.reconcile();
  tellNames();
}

async function databasesChanged(): Promise<void> {
  await databases.reconcile();
  tellNames();
}

function tellNames(): void {
  const servers = [...databases.servers.values()];
  setNames(
    lab,
    new Map([...balancers.names, ...servers.map(({ host, address }) => [host, address] as const)]),
  );
}

let passing: Promise<void> | undefined;

/** Passes never overlap; a call that changed something waits for one that began after it. */
async function kick(): Promise<void> {
  if (passing !== undefined) await passing.catch(() => undefined);
  passing ??= pass().finally(() => {
    passing = undefined;
  });
  await passing;
}

const roles = new Roles();

/** A drill's fault, or what the signer's role does not allow; whoever has no role is the account's administrator. */
async function refusalOf(asked: ApiRequest): Promise<Refusal | undefined> {
  const { service, action, token, accessKeyId } = asked;
  const cluster = await clusterOf(asked);
  const fault = cluster === undefined ? undefined : apiFault(lab, cluster, action);
  if (fault !== undefined) return { ...fault, message: "The lab was told to fail this call" };
  // Anybody may ask who they are.
  if (token === undefined || action === "GetCallerIdentity") return undefined;
  const { role, found } = await roles.policiesOf({ accessKeyId, token });
  const denied = askedBy(service, action, asked.call, asked.body).find((one) => !allows(found, one));
  if (denied === undefined) return undefined;
  return {
    code: service === "ec2" ? "UnauthorizedOperation" : "AccessDeniedException",
    status: service === "ec2" ? 403 : 400,
    message: `role ${role} is not authorized to perform: ${denied.action} on resource: ${denied.resource ?? "*"} because no identity-based policy allows the ${denied.action} action`,
  };
}

/** The cluster that a call belongs to: by the role that signed it, or else by the item of the table that it names. */
async function clusterOf({
  service,
  action,
  call,
  body,
  token,
  accessKeyId,
}: ApiRequest): Promise<string | undefined> {
  if (token !== undefined) return clusterOfRole(await roles.nameOf({ accessKeyId, token }));
  if (service !== "dynamodb") return undefined;
  const [key] = askedBy(service, action, call, body).flatMap(({ leadingKeys = [] }) => leadingKeys);
  return key?.replace(/^requests#/, "");
}

await labAuthority(lab);
await oneAtATime(databasesChanged);
await listen(metadataServer(metadataSource(instances, groups)));
// Guests reach the API on its service address, this machine on the lab's end of the link.
for (const address of [services.api, linkAddress]) {
  const api = apiServer(
    [
      interceptedCalls(instances, attachments, kick),
      elbCalls(balancers, () => oneAtATime(balancersChanged)),
      rdsCalls(() => oneAtATime(databasesChanged)),
      scalingCalls(groups),
      roles.calls,
    ],
    refusalOf,
    () => changes.made(),
  );
  await new Promise<void>((resolve, reject) => {
    api.once("error", reject);
    api.listen(apiPort, address, resolve);
  });
}
console.log("the controller is up");

for (;;) {
  await kick().catch((error: unknown) => console.error(`reconcile: ${messageOf(error)}`));
  await groups.reconcile().catch((error: unknown) => console.error(`auto scaling: ${messageOf(error)}`));
  await sleep(everyMilliseconds);
}
