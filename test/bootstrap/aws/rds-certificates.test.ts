import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { rdsCertificates } from "../../../bootstrap/aws/rds-certificates.ts";
import { Certificates } from "../../../bootstrap/contract/configuration/certificates.ts";
import { rdsRegions } from "../../../bootstrap/contract/rds-regions.ts";

const certificates = rdsCertificates()
  .split(/(?<=-----END CERTIFICATE-----)/)
  .filter((text) => text.trim() !== "")
  .map((pem) => new X509Certificate(pem));

test("the bundle of the image has the certificate authorities of these regions, and no other", () => {
  const regions = certificates.flatMap(
    ({ subject }) => /CN=Amazon RDS ([a-z]{2}-[a-z]+-\d) Root CA (?:RSA|ECC)/.exec(subject)?.[1] ?? [],
  );
  expect([...new Set(regions)].toSorted()).toEqual([...rdsRegions]);
});

test("every certificate of the bundle is a certificate authority", () => {
  expect(Certificates.safeParse(rdsCertificates()).success).toBe(true);
});

test.each([
  ["nothing", "", /certificates in PEM/],
  [
    "a damaged certificate",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    /number 1 cannot be read/,
  ],
])("%s is no bundle", (_, text, message) => {
  expect(Certificates.safeParse(text).error?.issues[0]?.message).toMatch(message);
});
