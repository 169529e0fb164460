import { beforeEach, describe, expect, test, vi } from "vitest";
import type { lookAtBitcoind } from "../../bootstrap/supervise/bitcoind.ts";
import type { Eclairs } from "../../bootstrap/supervise/eclairs.ts";
import type { Bitcoind, Lease } from "../../bootstrap/supervise/observation.ts";
import { Pauses } from "../../bootstrap/supervise/pauses.ts";
import type { Renewal } from "../../bootstrap/supervise/renewal.ts";
import type { Basis } from "../../bootstrap/supervise/slot.ts";
import { Standby } from "../../bootstrap/supervise/standby.ts";
import type { beginAgain } from "../../bootstrap/supervise/units.ts";
import { logged } from "../support/logged.ts";

const { again, bitcoindLook } = vi.hoisted(() => ({
  again: vi.fn<typeof beginAgain>(),
  bitcoindLook: vi.fn<typeof lookAtBitcoind>(),
}));
vi.mock("../../bootstrap/supervise/units.ts", () => ({ beginAgain: again }));
vi.mock("../../bootstrap/supervise/bitcoind.ts", () => ({ lookAtBitcoind: bitcoindLook }));
vi.mock("../../bootstrap/supervise/preread.ts", () => ({
  Preread: class {
    async look(): Promise<void> {
      await Promise.resolve();
    }
  },
}));
let now = 1000;
vi.mock(import("../../bootstrap/supervise/clock.ts"), () => ({ boottime: () => now }));
logged();

const bitcoind = { seen: true, blocks: 7 } as Bitcoind;
const held: Lease = { seen: true, holder: "other", remaining: 12 };

/** A host that knows of record and boots what is given here. */
function host({ armed = true, ripe = true } = {}) {
  const means = {
    id: "first",
    node: { configuration: { failover: { armed } } },
    guard: { refused: undefined as string | undefined, record: "of the node" },
    outside: { isSwitching: false },
  };
  const renewal = {
    means,
    next: undefined as { id: string } | undefined,
    ids: ["first"],
    isElsewhere: false,
    notice: vi.fn<() => void>(),
    isRipe: () => ripe,
    renew: vi.fn<(next: { id: string }) => void>(),
  };
  const kill = vi.fn<() => Promise<void>>();
  const eclairs = {
    armed: { kill } as { readonly kill: () => Promise<void> } | undefined,
    arming: undefined as object | undefined,
    arm: vi.fn<(basis: Basis) => Promise<void>>(),
    endOthers: vi.fn<(ids: readonly string[]) => Promise<void>>(),
    tidy: vi.fn<() => Promise<void>>(),
    isStale: vi.fn<(basis: Basis) => boolean>(() => true),
  };
  const standby = new Standby(renewal as unknown as Renewal, eclairs as unknown as Eclairs, new Pauses());
  return { means, renewal, eclairs, kill, standby };
}

beforeEach(() => {
  vi.clearAllMocks();
  now += 1000;
});

describe("an armed Eclair", () => {
  test("that knows less than one would now gets a fresh one beside it, and a while later another", async () => {
    const { eclairs, standby } = host();
    await standby.keepFresh({ lease: held, bitcoind });
    await standby.keepFresh({ lease: held, bitcoind });
    expect(eclairs.arm.mock.calls).toEqual([[{ blocks: 7, rendered: "first", record: "of the node" }]]);
    now += 5;
    await standby.keepFresh({ lease: held, bitcoind });
    expect(eclairs.arm).toHaveBeenCalledTimes(2);
  });

  test("that is fresh is left alone", async () => {
    const { eclairs, standby } = host();
    eclairs.isStale.mockReturnValue(false);
    await standby.keepFresh({ lease: held, bitcoind });
    expect(eclairs.arm).not.toHaveBeenCalled();
  });

  test("is armed anew with what the next boot has rendered", async () => {
    const { renewal, eclairs, standby } = host();
    renewal.next = { id: "second" };
    await standby.keepFresh({ lease: held, bitcoind });
    expect(eclairs.arm).toHaveBeenCalledWith({ blocks: 7, rendered: "second", record: "of the node" });
  });

  test.each(["guard", "arming"] as const)(
    "is not replaced while something is in the way: %s",
    async (what) => {
      const { means, eclairs, standby } = host();
      if (what === "guard") means.guard.refused = "record.node: another";
      else eclairs.arming = {};
      await standby.keepFresh({ lease: held, bitcoind });
      expect(eclairs.arm).not.toHaveBeenCalled();
    },
  );

  test("whose arming fails is tried again", async () => {
    const { eclairs, standby } = host();
    eclairs.arm.mockRejectedValueOnce(new Error("systemd does not answer"));
    await standby.keepFresh({ lease: held, bitcoind });
    now += 5;
    await standby.keepFresh({ lease: held, bitcoind });
    expect(eclairs.arm).toHaveBeenCalledTimes(2);
  });
});

describe("where memory is saved", () => {
  test("one is armed in the lease's last seconds alone, and ended when the lease was renewed", async () => {
    const { kill, eclairs, standby } = host({ armed: false });
    expect(standby.armAt).toBe(4);
    await standby.keepFresh({ lease: held, bitcoind });
    expect(kill).toHaveBeenCalledTimes(1);
    expect(eclairs.arm).not.toHaveBeenCalled();
  });

  test("one that may be wanted in a moment stays", async () => {
    const { kill, standby } = host({ armed: false });
    await standby.keepFresh({ lease: { ...held, remaining: 4 }, bitcoind });
    await standby.keepFresh({ lease: { seen: false, why: "no answer" }, bitcoind });
    expect(kill).not.toHaveBeenCalled();
  });
});

describe("what another boot has rendered", () => {
  const next = { id: "second" };

  test("is gone by once nothing is lost, and an Eclair that is known to nobody is ended", async () => {
    const { renewal, eclairs, standby } = host();
    await standby.renew("standby", 1);
    expect(renewal.renew).not.toHaveBeenCalled();
    renewal.next = next;
    await standby.renew("standby", 1);
    expect(renewal.renew).toHaveBeenCalledWith(next);
    expect(eclairs.endOthers).toHaveBeenCalledWith(["first"]);
  });

  test("waits until the Eclair that is needed goes by it, and for a switchover that this host has a part in", async () => {
    const unripe = host({ ripe: false });
    unripe.renewal.next = next;
    await unripe.standby.renew("standby", 1);
    expect(unripe.renewal.renew).not.toHaveBeenCalled();
    const switching = host();
    switching.renewal.next = next;
    switching.means.outside.isSwitching = true;
    switching.eclairs.armed = undefined;
    await switching.standby.renew("waiting", 1);
    expect(switching.renewal.renew).not.toHaveBeenCalled();
  });

  test("has its wallet made ready before an Eclair looks for it", async () => {
    const { renewal, standby } = host();
    renewal.next = Object.assign(next, { rpc: "its rpc", wallet: "its wallet" });
    await standby.notice(() => true);
    expect(renewal.notice).toHaveBeenCalledTimes(1);
    expect(bitcoindLook).toHaveBeenCalledWith("its rpc", "its wallet");
    expect(again).not.toHaveBeenCalled();
  });

  test("names another place for the database: the supervisor begins again, where nobody misses it", async () => {
    const { renewal, standby } = host();
    renewal.isElsewhere = true;
    await standby.notice(() => false);
    expect(again).not.toHaveBeenCalled();
    await standby.notice(() => true);
    expect(again).toHaveBeenCalledTimes(1);
  });
});
