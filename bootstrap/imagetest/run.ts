import { readdirSync, readFileSync, statSync } from "node:fs";
import { ImageTest } from "../config/image-test.ts";
import { loadInstance } from "../imds/identity.ts";
import { run } from "../os/run.ts";
import { places } from "../places.ts";
import { validate } from "../validate/validate.ts";
import { bitcoindTakesBlocks } from "./bitcoind.ts";
import { nothingElseListens } from "./listeners.ts";
import { resultMark, type Check, type ImageTestResult } from "./result.ts";

/** Tests the image this instance was started from and writes one line of JSON to the console. */
export async function imageTest(): Promise<boolean> {
  const wanted = ImageTest.parse(JSON.parse(readFileSync(places.imageTest, "utf8")));
  const { identity } = await loadInstance(10_000);
  const checks = [
    ...(await systemdIsUp()),
    await madeAtThisBoot("machine id", ["/etc/machine-id"]),
    await madeAtThisBoot("host keys", hostKeys()),
    await bitcoindTakesBlocks(wanted.peer),
    {
      name: "identity by IMDSv2",
      passed: true,
      detail: `${identity.instanceId} of ${identity.imageId} in ${identity.availabilityZone}`,
    },
    nothingElseListens(),
    ...(await stillValid()),
  ];
  const result: ImageTestResult = {
    id: wanted.id,
    instanceId: identity.instanceId,
    imageId: identity.imageId,
    passed: checks.every((check) => check.passed),
    machineId: readFileSync("/etc/machine-id", "utf8").trim(),
    bootstrapAfterSeconds: await bootstrapAfterSeconds(),
    checks,
  };
  console.log(resultMark + JSON.stringify(result));
  return result.passed;
}

async function systemdIsUp(): Promise<Check[]> {
  const state = (await run("systemctl", ["is-system-running", "--wait"], { allowFailure: true })).trim();
  const failed = (await run("systemctl", ["list-units", "--failed", "--plain", "--no-legend"])).trim();
  const names = failed
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" ")[0]);
  return [
    { name: "systemd is up", passed: state === "running", detail: state },
    { name: "no failed unit", passed: names.length === 0, detail: names.join(", ") || "none" },
  ];
}

function hostKeys(): string[] {
  return readdirSync("/etc/ssh")
    .filter((name) => /^ssh_host_.*_key$/.test(name))
    .map((name) => `/etc/ssh/${name}`);
}

/** A file that is older than this boot came with the image. */
async function madeAtThisBoot(name: string, files: readonly string[]): Promise<Check> {
  // `@1795400000`: seconds since 1970 at which this boot's init began.
  const show = ["show", "--timestamp=unix", "--value", "--property=UserspaceTimestamp"];
  const bootedAt = Number((await run("systemctl", show)).trim().slice(1)) * 1000;
  const old = files.filter((file) => statSync(file).mtimeMs < bootedAt);
  const detail = old.length > 0 ? `from the image: ${old.join(", ")}` : `${files.length} made`;
  return { name: `${name} made at this boot`, passed: files.length > 0 && old.length === 0, detail };
}

async function stillValid(): Promise<Check[]> {
  const findings = await validate({ root: "/", stage: "instance" });
  return [
    {
      name: "validate",
      passed: findings.length === 0,
      detail:
        findings
          .map((finding) => `${finding.check}: ${finding.path}`)
          .slice(0, 5)
          .join("; ") || "nothing found",
    },
  ];
}

async function bootstrapAfterSeconds(): Promise<number> {
  const property = async (unit: string, name: string) =>
    Number(
      (await run("systemctl", ["show", "--value", `--property=${name}`, ...(unit ? [unit] : [])])).trim(),
    );
  const started = await property("eclair-bootstrap.service", "ExecMainStartTimestampMonotonic");
  const userspace = await property("", "UserspaceTimestampMonotonic");
  return Math.round((started - userspace) / 1000) / 1000;
}
