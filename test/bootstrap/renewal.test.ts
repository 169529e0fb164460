import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Means } from "../../bootstrap/supervise/means.ts";
import { Renewal } from "../../bootstrap/supervise/renewal.ts";
import type { Rendered } from "../../bootstrap/supervise/rendered.ts";
import type { Slot } from "../../bootstrap/supervise/slot.ts";

const { disk, close, latest } = vi.hoisted(() => ({
  latest: [] as (() => Rendered)[],
  disk: { id: "first", host: "database.example", boot: "done" },
  close: vi.fn<(id: string) => void>(),
}));
vi.mock("../../bootstrap/supervise/rendered.ts", () => ({
  readRendered: () => ({ ...disk }),
  readBoot: () => ({ state: disk.boot, startedAt: `that of ${disk.id}`, phases: [] }),
}));
vi.mock("../../bootstrap/supervise/means.ts", () => ({
  Means: class {
    readonly id: string;
    readonly boot: unknown;
    readonly place: { readonly host: string };
    readonly rendered: Rendered;
    constructor(rendered: Rendered & { readonly host: string }, boot: unknown, last: () => Rendered) {
      this.rendered = rendered;
      latest.push(last);
      this.id = rendered.id;
      this.boot = boot;
      this.place = { host: rendered.host };
    }
    see(): void {
      // How a boot stands is not looked at here.
    }
    close(): Promise<void> {
      close(this.id);
      return Promise.resolve();
    }
  },
}));

const none = { open: undefined, armed: undefined };
const armedWith = (rendered: string) => ({
  open: undefined,
  armed: { basis: { blocks: 1, rendered, record: undefined } } as Slot,
});
let renewal: Renewal;
beforeEach(() => {
  vi.clearAllMocks();
  Object.assign(disk, { id: "first", host: "database.example", boot: "done" });
  renewal = new Renewal();
});

test("a boot that renders the same changes nothing", () => {
  renewal.notice();
  expect(renewal.next).toBeUndefined();
  expect(renewal.isRipe(none, "standby", 0)).toBe(false);
});

describe("when another boot has rendered something else", () => {
  beforeEach(() => {
    disk.id = "second";
    renewal.notice();
  });

  test.each([
    ["a standby goes by it once an Eclair that knows it is armed", "standby", 100, armedWith("second"), true],
    ["a standby keeps what its armed Eclair knows until then", "standby", 100, armedWith("first"), false],
    ["so does a host whose Eclair is about to go on", "starting", 100, armedWith("first"), false],
    ["unless what that one knows is in use no more", "starting", 0, armedWith("a boot between"), true],
    ["or that one knows it", "starting", 0, armedWith("second"), true],
    ["a host that can't take over for a moment keeps it too", "waiting", 30, armedWith("first"), false],
    ["one that could not for long may lack what is new", "waiting", 31, armedWith("first"), true],
    ["one without an armed Eclair loses nothing", "standby", 0, none, true],
    [
      "one whose Eclair has a way to the database goes on",
      "active",
      100,
      { ...none, open: {} as Slot },
      false,
    ],
  ] as const)("%s", (_, role, seconds, eclairs, ripe) => {
    expect(renewal.isRipe(eclairs, role, seconds)).toBe(ripe);
  });

  test("an Eclair that knows either is known", () => {
    expect(renewal.ids).toEqual(["first", "second"]);
  });

  test("what went before is closed when nothing uses it any more", () => {
    renewal.renew(renewal.next as Means);
    expect(renewal.means.id).toBe("second");
    expect(renewal.next).toBeUndefined();
    expect(close).not.toHaveBeenCalled();
    renewal.putAway();
    renewal.putAway();
    expect(close.mock.calls).toEqual([["first"]]);
  });

  test("what is looked at for changes is what came last, so that a correction is found", () => {
    expect(latest.at(-1)?.().id).toBe("second");
  });

  test("the last of several boots counts, and one that takes it back leaves all as it is", () => {
    disk.id = "third";
    renewal.notice();
    expect(renewal.next?.id).toBe("third");
    disk.id = "first";
    renewal.notice();
    expect(renewal.next).toBeUndefined();
  });
});

test("while a boot runs, what is there may be half of it", () => {
  Object.assign(disk, { id: "second", boot: "running" });
  renewal.notice();
  expect(renewal.next).toBeUndefined();
  disk.boot = "failed";
  renewal.notice();
  expect(renewal.next?.id).toBe("second");
});

test("a boot that has failed is told, and changes nothing", () => {
  disk.boot = "failed";
  renewal.notice();
  expect(renewal.boot).toMatchObject({ state: "failed" });
  expect(renewal.next).toBeUndefined();
  disk.boot = "running";
  renewal.notice();
  expect(renewal.boot).toMatchObject({ state: "done" });
});

test("another place of the database wants other gates", () => {
  Object.assign(disk, { id: "second", host: "elsewhere.example" });
  renewal.notice();
  expect(renewal.isElsewhere).toBe(true);
  expect(renewal.isRipe(none, "waiting", 100)).toBe(false);
});
