import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { LabPaths } from "../paths.ts";

/** The paths of a certificate and its key. */
export type CertificateFiles = { readonly certificate: string; readonly key: string };

const days = "3650";
const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** The certificate authority of the lab's RDS. */
export const labAuthority = (lab: LabPaths): Promise<CertificateFiles> =>
  createAuthority(join(lab.state, "ca"), "lab RDS CA");

export const labAuthorityFile = (lab: LabPaths) => join(lab.state, "ca", "ca.pem");

/** Creates a certificate authority in a folder, unless the folder contains one. */
export async function createAuthority(folder: string, name: string): Promise<CertificateFiles> {
  const files = { certificate: join(folder, "ca.pem"), key: join(folder, "ca.key") };
  if (existsSync(files.certificate)) return files;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await execa("openssl", [
    ...["req", "-x509", ...curve, "-days", days, "-subj", `/CN=${name}`],
    ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"],
    ...["-keyout", files.key, "-out", files.certificate],
  ]);
  return files;
}

/** Creates the certificate of a server for one host name, signed by an authority. */
export async function issueCertificate(
  authority: CertificateFiles,
  host: string,
  folder: string,
): Promise<CertificateFiles> {
  mkdirSync(folder, { recursive: true });
  const files = { certificate: join(folder, "server.crt"), key: join(folder, "server.key") };
  const request = join(folder, "server.csr");
  const extensions = join(folder, "server.ext");
  writeFileSync(extensions, `subjectAltName=DNS:${host}\nextendedKeyUsage=serverAuth\n`);
  // A common name has at most 64 characters, and a host name can be longer. Clients check the alternative name.
  await execa("openssl", [
    "req",
    "-new",
    ...curve,
    "-subj",
    "/CN=rds",
    "-keyout",
    files.key,
    "-out",
    request,
  ]);
  await execa("openssl", [
    ...["x509", "-req", "-in", request, "-days", days, "-extfile", extensions],
    ...["-CA", authority.certificate, "-CAkey", authority.key, "-out", files.certificate],
  ]);
  for (const file of [request, extensions]) rmSync(file);
  return files;
}
