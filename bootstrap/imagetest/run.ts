import { readdirSync, readFileSync, statSync } from "node:fs";
import { ImageTest } from "../contract/configuration/image-test.ts";
import { resultMark, type Check, type ImageTestResult } from "../contract/reports/image-test.ts";
import { loadInstance } from "../imds/identity.ts";
import { paths } from "../os/paths.ts";
import { run } from "../os/run.ts";
import { validate } from "../validate/validate.ts";
import { checkBitcoind } from "./bitcoind.ts";
import { checkListeners } from "./listeners.ts";

const metadataTimeoutMilliseconds = 10_000;
const listedFindings = 5;

/** Tests the image that this instance was started from, and writes one line of JSON to the console. */
export async function imageTest(): Promise<boolean> {
  const document = ImageTest.parse(JSON.parse(readFileSync(paths.imageTest, "utf8")));
  const { identity } = await loadInstance(metadataTimeoutMilliseconds);
  const checks = [
    ...(await checkSystemd()),
    await checkCreatedAtThisBoot("machine id", ["/etc/machine-id"]),
    await checkCreatedAtThisBoot("host keys", hostKeys()),
    await checkBitcoind(document.peer),
    {
      name: "identity by IMDSv2",
      passed: true,
      detail: `${identity.instanceId} of ${identity.imageId} in ${identity.availabilityZone}`,
    },
    checkListeners(),
    await checkContent(),
  ];
  const result: ImageTestResult = {
    id: document.id,
    instanceId: identity.instanceId,
    imageId: identity.imageId,
    passed: checks.every(({ passed }) => passed),
    machineId: readFileSync("/etc/machine-id", "utf8").trim(),
    bootstrapAfterSeconds: await bootstrapAfterSeconds(),
    checks,
  };
  console.log(resultMark + JSON.stringify(result));
  return result.passed;
}

async function checkSystemd(): Promise<Check[]> {
  const state = (await run("systemctl", ["is-system-running", "--wait"], { allowFailure: true })).trim();
  const failed = (await run("systemctl", ["list-units", "--failed", "--plain", "--no-legend"])).trim();
  const units = failed
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" ")[0]);
  return [
    { name: "systemd is up", passed: state === "running", detail: state },
    { name: "no failed unit", passed: units.length === 0, detail: units.join(", ") || "none" },
  ];
}

function hostKeys(): string[] {
  return readdirSync("/etc/ssh")
    .filter((name) => /^ssh_host_.*_key$/.test(name))
    .map((name) => `/etc/ssh/${name}`);
}

/** A file that is older than this boot is part of the image. */
async function checkCreatedAtThisBoot(subject: string, files: readonly string[]): Promise<Check> {
  // The property has the form `@1795400000`: the start of this boot's init, in seconds since 1970.
  const show = ["show", "--timestamp=unix", "--value", "--property=UserspaceTimestamp"];
  const bootedAt = Number((await run("systemctl", show)).trim().slice(1)) * 1000;
  const old = files.filter((file) => statSync(file).mtimeMs < bootedAt);
  const detail = old.length > 0 ? `from the image: ${old.join(", ")}` : `${files.length} created`;
  // Without the time of the boot, nothing was compared.
  const passed = bootedAt > 0 && files.length > 0 && old.length === 0;
  return { name: `${subject} created at this boot`, passed, detail };
}

async function checkContent(): Promise<Check> {
  const findings = await validate({ root: "/", kind: "instance" });
  const listed = findings.slice(0, listedFindings).map(({ check, path }) => `${check}: ${path}`);
  return {
    name: "validate",
    passed: findings.length === 0,
    detail: listed.join("; ") || "nothing found",
  };
}

async function bootstrapAfterSeconds(): Promise<number> {
  const show = async (property: string, unit: readonly string[]) =>
    Number((await run("systemctl", ["show", "--value", `--property=${property}`, ...unit])).trim());
  const startedAt = await show("ExecMainStartTimestampMonotonic", ["eclair-bootstrap.service"]);
  const userspaceAt = await show("UserspaceTimestampMonotonic", []);
  // Both are in microseconds.
  return Math.round((startedAt - userspaceAt) / 1000) / 1000;
}
