import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Slot } from "../../../../bootstrap/eclair/slot.ts";
import type { Rendered } from "../../../../bootstrap/render/rendered.ts";
import type { NodeContext } from "../../../../bootstrap/supervisor/context/node-context.ts";
import { ContextReloader } from "../../../../bootstrap/supervisor/reload/context-reloader.ts";
import { captureLog } from "../../../support/log-capture.ts";

captureLog();
const { disk, close, latestFiles } = vi.hoisted(() => ({
  /** The files and the boot status on the disk. */
  disk: { id: "first", host: "database.example", door: "on", bootState: "done" },
  close: vi.fn<(renderedId: string) => void>(),
  /** For each drift detector, the function that gives it the files of the last boot. */
  latestFiles: [] as (() => Rendered)[],
}));
vi.mock("../../../../bootstrap/render/rendered.ts", () => ({
  readRendered: () => ({ ...disk }),
  readBootStatus: () => ({ state: disk.bootState, startedAt: `start of ${disk.id}`, phases: [] }),
}));
vi.mock("../../../../bootstrap/supervisor/reload/drift-detector.ts", () => ({
  driftDetector: (latest: () => Rendered) => {
    latestFiles.push(latest);
    return {};
  },
}));
vi.mock("../../../../bootstrap/supervisor/context/node-context.ts", () => ({
  NodeContext: class {
    readonly rendered: Rendered;
    readonly renderedId: string;
    readonly boot: unknown;
    readonly endpoint: { readonly host: string };
    readonly node: unknown;
    constructor(rendered: Rendered & { readonly host: string; readonly door: string }, boot: unknown) {
      this.rendered = rendered;
      this.renderedId = rendered.id;
      this.boot = boot;
      this.endpoint = { host: rendered.host };
      this.node = { configuration: { door: rendered.door } };
    }
    adoptBootStatus(): void {
      // These tests do not depend on it.
    }
    retire(): Promise<void> {
      close(this.renderedId);
      return Promise.resolve();
    }
  },
}));

const noEclair = { open: undefined, armed: undefined };
const armedWith = (rendered: string) => ({
  open: undefined,
  armed: { armInputs: { blocks: 1, rendered, record: undefined } } as Slot,
});
let reloader: ContextReloader;
beforeEach(() => {
  vi.clearAllMocks();
  Object.assign(disk, { id: "first", host: "database.example", door: "on", bootState: "done" });
  reloader = new ContextReloader();
});

test("a boot that renders the same files changes nothing", () => {
  reloader.poll();
  expect(reloader.next).toBeUndefined();
  expect(reloader.canSwitch(noEclair, "standby", 0)).toBe(false);
});

describe("after another boot rendered other files,", () => {
  beforeEach(() => {
    disk.id = "second";
    reloader.poll();
  });

  test.each([
    [
      "a standby switches once an Eclair with the new files is armed",
      "standby",
      100,
      armedWith("second"),
      true,
    ],
    [
      "a standby waits while its armed Eclair has the current files",
      "standby",
      100,
      armedWith("first"),
      false,
    ],
    [
      "a host that starts Eclair waits while Eclair has the current files",
      "starting",
      100,
      armedWith("first"),
      false,
    ],
    [
      "a host switches when its armed Eclair has the files of neither boot",
      "starting",
      0,
      armedWith("other"),
      true,
    ],
    [
      "a host that starts Eclair switches when Eclair has the new files",
      "starting",
      0,
      armedWith("second"),
      true,
    ],
    ["a host that cannot take over waits for up to 30 seconds", "waiting", 30, armedWith("first"), false],
    [
      "a host that cannot take over for longer than 30 seconds switches",
      "waiting",
      31,
      armedWith("first"),
      true,
    ],
    ["a host without an armed Eclair switches", "standby", 0, noEclair, true],
    [
      "a host whose Eclair is connected to the database does not switch",
      "active",
      100,
      { ...noEclair, open: {} as Slot },
      false,
    ],
  ] as const)("%s", (_title, role, seconds, processes, canSwitch) => {
    expect(reloader.canSwitch(processes, role, seconds)).toBe(canSwitch);
  });

  test("an Eclair with the current or with the new files is not outdated", () => {
    expect(reloader.renderedIds).toEqual(["first", "second"]);
  });

  test("the previous context is closed once when nothing uses it any more", () => {
    reloader.switchTo(reloader.next as NodeContext);
    expect(reloader.context.renderedId).toBe("second");
    expect(reloader.next).toBeUndefined();
    expect(close).not.toHaveBeenCalled();
    reloader.closeRetired();
    reloader.closeRetired();
    expect(close.mock.calls).toEqual([["first"]]);
  });

  test("drift is detected against the new files, so that a correction is found", () => {
    expect(latestFiles.at(-1)?.().id).toBe("second");
  });

  test("the last of several boots counts, and a boot that renders the current files again leaves nothing to do", () => {
    disk.id = "third";
    reloader.poll();
    expect(reloader.next?.renderedId).toBe("third");
    disk.id = "first";
    reloader.poll();
    expect(reloader.next).toBeUndefined();
  });
});

test("the files of a boot that still runs are ignored, because they can be incomplete", () => {
  Object.assign(disk, { id: "second", bootState: "running" });
  reloader.poll();
  expect(reloader.next).toBeUndefined();
  disk.bootState = "failed";
  reloader.poll();
  expect(reloader.next?.renderedId).toBe("second");
});

test("a failed boot is reported and changes nothing", () => {
  disk.bootState = "failed";
  reloader.poll();
  expect(reloader.boot).toMatchObject({ state: "failed" });
  expect(reloader.next).toBeUndefined();
  disk.bootState = "running";
  reloader.poll();
  expect(reloader.boot).toMatchObject({ state: "done" });
});

test.each([
  ["another database endpoint, because its gates lead to the current one", { host: "elsewhere.example" }],
  ["a configuration without a door, because its door has the port", { door: "off" }],
])("the supervisor does not switch to %s", (_title, changes) => {
  Object.assign(disk, { id: "second", ...changes });
  reloader.poll();
  expect(reloader.needsRestart).toBe(true);
  expect(reloader.canSwitch(noEclair, "waiting", 100)).toBe(false);
});
