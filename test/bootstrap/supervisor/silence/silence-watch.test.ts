import { expect, test } from "vitest";
import {
  SilenceWatch,
  type ObservedHolder,
  type LeaseObservation,
} from "../../../../bootstrap/supervisor/silence/silence-watch.ts";

const holder: ObservedHolder = {
  eclairInstanceId: "other",
  generation: 7,
  acknowledged: true,
  sessions: "12 100 200 200",
};

/** A host that reads the lease every 50 ms; each answer takes 2 ms. */
class Reader {
  readonly watch = new SilenceWatch();
  now = 1000;

  read(
    seconds: number,
    sees: (at: number) => Partial<ObservedHolder> | "nobody" = () => ({}),
    connection = 1,
  ) {
    const end = this.now + seconds;
    while (this.now < end) {
      this.now += 0.05;
      const seen = sees(this.now);
      const observation: LeaseObservation = {
        sentAt: this.now,
        answeredAt: this.now + 0.002,
        connection,
        holder: seen === "nobody" ? undefined : { ...holder, ...seen },
      };
      this.watch.observe(observation);
    }
    return this.watch.silence?.seconds;
  }
}

test("a holder that sends statements is not silent", () => {
  const seconds = new Reader().read(5, (at) => ({ sessions: `12 100 ${at.toFixed(3)}` }));
  expect(seconds).toBeLessThan(0.1);
});

test("the silence counts from the first observation of the last statement", () => {
  const reader = new Reader();
  reader.read(1, (at) => ({ sessions: `12 100 ${at.toFixed(3)}` }));
  expect(reader.read(3)).toBeCloseTo(2.95, 1);
  expect(reader.watch.silence?.holder).toEqual(holder);
});

test("a host whose sessions have all ended is silent as well", () => {
  const reader = new Reader();
  reader.read(1);
  expect(reader.read(3, () => ({ sessions: "" }))).toBeCloseTo(2.95, 1);
});

test.each<[string, (reader: Reader) => unknown]>([
  ["a gap between the own statements", (reader) => (reader.now += 0.3)],
  ["a new connection", (reader) => reader.read(0.05, undefined, 2)],
  ["a statement that runs", (reader) => reader.read(0.05, () => ({ sessions: undefined }))],
  ["another generation", (reader) => reader.read(0.05, () => ({ generation: 8 }))],
  ["another holder", (reader) => reader.read(0.05, () => ({ eclairInstanceId: "third" }))],
  ["a lease without a holder on another host", (reader) => reader.read(0.05, () => "nobody")],
])("the count begins again after %s", (_, interrupt) => {
  const reader = new Reader();
  expect(reader.read(2.5)).toBeGreaterThan(2.3);
  interrupt(reader);
  expect(reader.read(1)).toBeLessThan(1.01);
  expect(reader.read(2)).toBeGreaterThan(2.8);
});

test("nothing is known while a statement of the holder runs", () => {
  expect(new Reader().read(5, () => ({ sessions: undefined }))).toBeUndefined();
});

test("knows how long this host has had no answer itself", () => {
  const reader = new Reader();
  expect(reader.watch.unansweredSeconds(5)).toBe(0);
  reader.read(1);
  expect(reader.watch.unansweredSeconds(reader.now + 1.2)).toBeCloseTo(1.2);
});
