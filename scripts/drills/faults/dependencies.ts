import { fillFileSystem } from "../actions/fill-disk.ts";
import { killEclair } from "../../lab-cluster/failover.ts";
import { setFaults, type Fault as ServiceFault } from "../../lab/front/faults.ts";
import type { Drill } from "../drill.ts";
import { killHaproxy } from "../environment.ts";
import { DrillFailure, type DrillRun } from "../run.ts";

const unavailableMilliseconds = 300_000;

const apiFault = (action: string): ServiceFault => ({
  service: "api",
  action,
  code: "ServiceUnavailable",
  status: 503,
  until: Date.now() + unavailableMilliseconds,
});
const imds = (): ServiceFault[] => [
  { service: "imds", status: 0, until: Date.now() + unavailableMilliseconds },
];
const secretsManager = (): ServiceFault[] => [apiFault("GetSecretValue")];
const dynamodb = (): ServiceFault[] =>
  ["GetItem", "UpdateItem", "PutItem", "Query", "TransactWriteItems"].map(apiFault);

/** Faults of what a node needs besides its database. */
export const drills: readonly Drill[] = [
  takeoverWithout("imds", "instance metadata is", imds),
  takeoverWithout("secrets-manager", "Secrets Manager is", secretsManager),
  takeoverDelayedWithout("dynamodb", "DynamoDB is", dynamodb),
  takeoverDelayedWithout("aws", "DynamoDB, Secrets Manager and instance metadata are", () => [
    ...imds(),
    ...secretsManager(),
    ...dynamodb(),
  ]),
  {
    name: "fill-disk",
    title: "The disk of the active host is full",
    execute: async (run) => {
      const { active } = run.pair;
      await run.injectOnHost(active, fillFileSystem("/var/tmp/full"));
      await run.wait(20);
      await run.waitUntilServing([active], Date.now(), 2);
    },
    cleanUp: async (run) => {
      await run.runOnHost(run.pair.active, "rm -f /var/tmp/full");
    },
  },
  {
    name: "restart-load-balancer",
    title: "The load balancer crashes and restarts",
    execute: async (run) => {
      await run.inject(() => killHaproxy(run.environment));
      await run.waitUntilLoadBalancerServes((run.faultAt ?? 0) + 200);
      await run.waitUntilServing([run.pair.active], Date.now(), 2);
    },
  },
];

const clearFaults = ({ environment: { lab, configuration } }: DrillRun) =>
  setFaults(lab, configuration.cluster, []);

/** Services that are used only at boot: a takeover does not need them. */
function takeoverWithout(name: string, unavailable: string, faults: () => ServiceFault[]): Drill {
  return {
    name: `takeover-without-${name}`,
    title: `Eclair is killed while ${unavailable} unavailable`,
    execute: async (run) => {
      const { lab, configuration } = run.environment;
      setFaults(lab, configuration.cluster, faults());
      await run.injectOnHost(run.pair.active, killEclair);
      await run.waitUntilServing([run.pair.standby], undefined, 10);
    },
    cleanUp: async (run) => clearFaults(run),
  };
}

/** Services that include the cluster record: a takeover waits for them. */
function takeoverDelayedWithout(name: string, unavailable: string, faults: () => ServiceFault[]): Drill {
  return {
    name: `takeover-without-${name}`,
    title: `Eclair is killed while ${unavailable} unavailable`,
    execute: async (run) => {
      const { environment, pair } = run;
      const hosts = [pair.active, pair.standby];
      setFaults(environment.lab, environment.configuration.cluster, faults());
      await run.injectOnHost(pair.active, killEclair);
      const served = await run.waitUntilServing(hosts, (run.faultAt ?? 0) + 500, 10).then(
        () => true,
        () => false,
      );
      if (served)
        throw new DrillFailure("a host became active although the cluster record could not be read");
      clearFaults(run);
      await run.waitUntilServing(hosts, Date.now());
    },
    cleanUp: async (run) => clearFaults(run),
  };
}
