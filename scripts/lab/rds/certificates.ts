import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { LabPlace } from "../place.ts";

/** A certificate authority in a folder of its own: its certificate and its key. */
export type Authority = { readonly certificate: string; readonly key: string };

const days = "3650";
const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** The lab's own authority, which stands where RDS' stands on AWS. */
export const labAuthority = (lab: LabPlace): Promise<Authority> =>
  authority(join(lab.state, "ca"), "lab RDS CA");

export const labAuthorityFile = (lab: LabPlace) => join(lab.state, "ca", "ca.pem");

/** Makes an authority, or finds the one that is there. */
export async function authority(folder: string, name: string): Promise<Authority> {
  const made = { certificate: join(folder, "ca.pem"), key: join(folder, "ca.key") };
  if (existsSync(made.certificate)) return made;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await execa("openssl", [
    ...["req", "-x509", ...curve, "-days", days, "-subj", `/CN=${name}`],
    ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"],
    ...["-keyout", made.key, "-out", made.certificate],
  ]);
  return made;
}

/** A server's certificate for one host name, signed by an authority. */
export async function issue(by: Authority, host: string, folder: string): Promise<Authority> {
  mkdirSync(folder, { recursive: true });
  const made = { certificate: join(folder, "server.crt"), key: join(folder, "server.key") };
  const request = join(folder, "server.csr");
  const extensions = join(folder, "server.ext");
  writeFileSync(extensions, `subjectAltName=DNS:${host}\nextendedKeyUsage=serverAuth\n`);
  // A common name holds 64 characters and a host name more: the alternative name is what counts.
  await execa("openssl", ["req", "-new", ...curve, "-subj", "/CN=rds", "-keyout", made.key, "-out", request]);
  await execa("openssl", [
    ...["x509", "-req", "-in", request, "-days", days, "-extfile", extensions],
    ...["-CA", by.certificate, "-CAkey", by.key, "-out", made.certificate],
  ]);
  for (const file of [request, extensions]) rmSync(file);
  return made;
}
