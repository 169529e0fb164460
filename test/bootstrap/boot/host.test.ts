import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { databaseCertificates } from "../../../bootstrap/boot/host.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-credentials-"));
  vi.stubEnv("CREDENTIALS_DIRECTORY", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const ofHost = "the authority of the host";
const passFromHost = () => writeFileSync(join(folder, "eclair-ami.database-ca"), `${ofHost}\n`);

test("the authorities of `database.ca` come first", () => {
  passFromHost();
  expect(databaseCertificates({ ca: "the authority of the document" })).toBe("the authority of the document");
});

test("then those that the host of the instance passes", () => {
  passFromHost();
  expect(databaseCertificates({})).toBe(ofHost);
});

test("then those of RDS, as on AWS, where no host passes a credential", () => {
  vi.stubEnv("CREDENTIALS_DIRECTORY", undefined);
  expect(databaseCertificates({})).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
});
