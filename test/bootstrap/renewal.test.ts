import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Means } from "../../bootstrap/supervise/means.ts";
import { Renewal } from "../../bootstrap/supervise/renewal.ts";
import type { Rendered } from "../../bootstrap/supervise/rendered.ts";
import type { Slot } from "../../bootstrap/supervise/slot.ts";

const { disk, close } = vi.hoisted(() => ({
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
    constructor(rendered: Rendered & { readonly host: string }, boot: unknown) {
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
  expect(renewal.isRipe(none, "standby")).toBe(false);
});

describe("when another boot has rendered something else", () => {
  beforeEach(() => {
    disk.id = "second";
    renewal.notice();
  });

  test.each([
    ["a standby goes by it once an Eclair that knows it is armed", "standby", armedWith("second"), true],
    ["a standby keeps what its armed Eclair knows until then", "standby", armedWith("first"), false],
    ["so does a host whose Eclair is about to go on", "starting", armedWith("first"), false],
    ["unless what that one knows is in use no more", "starting", armedWith("a boot between"), true],
    ["or that one knows it", "starting", armedWith("second"), true],
    ["a host that can't take over loses nothing", "waiting", armedWith("first"), true],
    ["nor does one without an armed Eclair", "standby", none, true],
    ["one whose Eclair has a way to the database goes on", "active", { ...none, open: {} as Slot }, false],
  ] as const)("%s", (_, role, eclairs, ripe) => {
    expect(renewal.isRipe(eclairs, role)).toBe(ripe);
  });

  test("what went before is closed when nothing uses it any more", async () => {
    renewal.renew(renewal.next as Means);
    expect(renewal.means.id).toBe("second");
    expect(renewal.next).toBeUndefined();
    expect(close).not.toHaveBeenCalled();
    await renewal.putAway();
    await renewal.putAway();
    expect(close.mock.calls).toEqual([["first"]]);
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
  expect(renewal.isRipe(none, "waiting")).toBe(false);
});
