import { healthPort } from "../../../bootstrap/supervise/health.ts";
import { services } from "../../lab/addresses.ts";
import { lightningPort } from "../../lab/cluster/load-balancer.ts";
import { freezeGuest, thawGuest } from "../../lab/guest/look.ts";
import { between, cut, mend } from "../cuts.ts";
import type { Fault } from "../fault.ts";
import { Astray, type Scene } from "../scene.ts";
import { databaseAddress, databaseOf } from "../stage.ts";

/** Longer than a lease, so that somebody else has taken over by its end. */
const pastLeaseSeconds = 25;

/** Hosts, networks and a database that are away for a time and come back. */
export const faults: readonly Fault[] = [
  {
    name: "frozen-in-transaction",
    title: "guest frozen inside a write transaction",
    play: async (scene) => {
      const { stage, pair } = scene;
      // A write waits inside its transaction for a lock, and is let go when nobody is there to end the transaction.
      const waiting = databaseOf(stage).sql(
        "begin; lock table payments.received in share mode; select pg_sleep(1.5); rollback",
      );
      await scene.pass(1);
      await scene.strikeBy(async () => freezeGuest(stage.lab, pair.active));
      await waiting;
      await scene.serves([pair.standby]);
      thawGuest(stage.lab, pair.active);
      await scene.pass(5);
    },
    heal: async ({ stage, pair }) => thawGuest(stage.lab, pair.active),
  },
  cutOff("database", "the active one cut off from the database", async (scene) =>
    between(scene.addresses.active, await databaseAddress(scene.stage)),
  ),
  cutOff("everything", "the active one cut off from everything", async ({ addresses }) => [
    { from: addresses.active },
    { from: services.api, to: addresses.active },
    { from: services.dns, to: addresses.active },
    { from: services.miner, to: addresses.active },
  ]),
  cutOff("database-answers", "one-way: the database's answers do not reach the active one", async (scene) => [
    { from: await databaseAddress(scene.stage), to: scene.addresses.active },
  ]),
  {
    name: "cut-apis",
    title: "the active one cut off from AWS's APIs",
    play: async (scene) => {
      const { stage, addresses, pair } = scene;
      await scene.strikeBy(() => cut(stage.lab, between(addresses.active, services.api)));
      await scene.pass(pastLeaseSeconds);
      await scene.serves([pair.active], Date.now(), 2);
    },
    heal: async ({ stage }) => await mend(stage.lab),
  },
  {
    name: "cut-balancer",
    title: "the active one cut off from the load balancer, and from every peer",
    play: async (scene) => {
      const { stage, addresses, pair } = scene;
      const to = addresses.active;
      const ports = [
        { to, port: lightningPort },
        { to, port: healthPort },
      ];
      await scene.strikeBy(() => cut(stage.lab, ports));
      await scene.pass(pastLeaseSeconds);
      // The lease is renewed all along: the way to a node is nothing that another host could take over.
      if (scene.served(pair.standby))
        throw new Astray(`${pair.standby} took over from one that holds the lease`);
      await mend(stage.lab);
      await scene.serves([pair.active], Date.now());
      await scene.serves(["balancer"], Date.now());
    },
    heal: async ({ stage }) => await mend(stage.lab),
  },
  {
    name: "strangers-transaction",
    title: "a stranger's open transaction that has read the lease",
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await scene.strikeBy(() =>
        databaseOf(scene.stage).sql("begin; select * from lease; select pg_sleep(12); commit"),
      );
      await scene.serves([active, standby], Date.now());
    },
  },
  {
    name: "postgres-restarted",
    title: "PostgreSQL restarted at once",
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await scene.strikeBy(() => databaseOf(scene.stage).goneFor(0));
      await scene.pass(2);
      await scene.serves([active, standby], Date.now());
    },
  },
  {
    name: "postgres-gone",
    title: "PostgreSQL gone for two minutes",
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await scene.strikeBy(() => databaseOf(scene.stage).goneFor(120));
      await scene.serves([active, standby], Date.now());
    },
  },
];

function cutOff(
  from: string,
  title: string,
  cuts: (scene: Scene) => Promise<Parameters<typeof cut>[1]>,
): Fault {
  return {
    name: `cut-${from}`,
    title,
    play: async (scene) => {
      const these = await cuts(scene);
      await scene.strikeBy(() => cut(scene.stage.lab, these));
      await scene.serves([scene.pair.standby]);
      await scene.pass(5);
      await mend(scene.stage.lab);
      await scene.pass(5);
    },
    heal: async ({ stage }) => await mend(stage.lab),
  };
}
