import { expect, test } from "vitest";
import { withRootDevices, withStates } from "../../../../scripts/lab/front/ec2-documents.ts";
import { home } from "../../../../scripts/lab/addresses.ts";
import { listOf, parseQuery } from "../../../../scripts/lab/front/query.ts";

const form = (text: string) =>
  parseQuery("application/x-www-form-urlencoded; charset=utf-8", Buffer.from(text), home)?.form ??
  new URLSearchParams();

test("a call of the JSON protocol is not a call of the query protocol", () => {
  expect(parseQuery("application/x-amz-json-1.1", Buffer.from("{}"), home)).toBeUndefined();
});

test("reads a list in its order", () => {
  expect(listOf(form("Action=X&InstanceId.2=b&InstanceId.1=a"), "InstanceId")).toEqual(["a", "b"]);
});

test("an instance whose guest still shuts down is stopping, also when moto reports it as stopped", () => {
  const item = (id: string) =>
    `<item><instanceId>${id}</instanceId><imageId>ami-1</imageId><instanceState><code>80</code><name>stopped</name></instanceState></item>`;
  const xml = withStates(item("i-0a") + item("i-0b"), (id) => (id === "i-0b" ? "stopping" : undefined));
  expect(xml).toContain(
    "<instanceId>i-0b</instanceId><imageId>ami-1</imageId><instanceState><code>64</code><name>stopping",
  );
  expect(xml).toContain(
    "<instanceId>i-0a</instanceId><imageId>ami-1</imageId><instanceState><code>80</code>",
  );
});

test("an image has the root device and the size of the lab's disk", () => {
  const xml =
    "<item><imageId>ami-0a</imageId><rootDeviceType>standard</rootDeviceType><rootDeviceName>/dev/sda1</rootDeviceName><volumeSize>15</volumeSize></item>" +
    "<item><imageId>ami-0b</imageId><volumeSize>15</volumeSize></item>";
  const answer = withRootDevices(xml, (id) => (id === "ami-0a" ? 8 : undefined));
  expect(answer).toContain("/dev/xvda");
  expect(answer).toContain("<volumeSize>8<");
  expect(answer).toContain("<imageId>ami-0b</imageId><volumeSize>15<");
});
