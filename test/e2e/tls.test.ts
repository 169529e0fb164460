import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  createAuthority,
  issueCertificate,
  labAuthority,
  type CertificateFiles,
} from "../../scripts/lab/rds/certificates.ts";
import { eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { restoreGate, bypassGate } from "./gate.ts";

const state = inject("labState");

describe.each(inject("images"))(
  "Eclair verifies the certificate of the database ($eclair)",
  ({ eclair, id: imageId }) => {
    let nodes: Cluster;
    let id: string;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "eclair-ami-tls-"));
      nodes = await cluster(state, `tls-${eclair}`, imageId);
      id = await nodes.launch(imageId);
      await nodes.waitUntilActive(id);
      // From here on, only the tests start Eclair, and the bootstrap verifies nothing.
      await nodes.inGuest(id, "systemctl stop eclair-supervisor");
      await bypassGate(nodes, id);
    });
    afterAll(async () => {
      rmSync(folder, { recursive: true });
      await nodes.terminate(id);
    });

    const host = () => nodes.configuration.database.host;

    async function installCertificate(certificate: CertificateFiles): Promise<void> {
      const tls = join(nodes.lab.state, "databases", nodes.name, "tls");
      for (const [file, name] of [
        [certificate.certificate, "server.crt"],
        [certificate.key, "server.key"],
      ] as const)
        await execa("install", [
          "--owner=postgres",
          "--group=postgres",
          "--mode=0600",
          file,
          join(tls, name),
        ]);
      await nodes.sql("select pg_reload_conf()");
    }

    /** Starts Eclair, waits for its end, and returns its exit status and its log. */
    async function runEclair(): Promise<{ status: string; log: string }> {
      const since = (await nodes.inGuest(id, "date '+%s'")).stdout;
      await nodes.inGuest(
        id,
        "systemctl reset-failed eclair@a; systemctl start --no-block eclair@a; sleep 0.2",
      );
      await eventually("Eclair to end", async () => {
        const { stdout } = await nodes.inGuest(id, "systemctl show --value --property=ActiveState eclair@a");
        return ["inactive", "failed"].includes(stdout.trim()) ? true : undefined;
      });
      const status = await nodes.inGuest(id, "systemctl show --value --property=ExecMainStatus eclair@a");
      const log = await nodes.inGuest(id, `journalctl --no-pager --unit=eclair@a --since=@${since}`);
      return { status: status.stdout.trim(), log: log.stdout };
    }

    test.each([
      [
        "a certificate of another authority",
        async () =>
          await installCertificate(
            await issueCertificate(
              await createAuthority(join(folder, "other"), "another CA"),
              host(),
              join(folder, "a"),
            ),
          ),
        /PKIX|unable to find valid certification path|certificate/i,
      ],
      [
        "a wrong host name",
        async () =>
          await installCertificate(
            await issueCertificate(await labAuthority(nodes.lab), "other.example", join(folder, "b")),
          ),
        /hostname .* could not be verified/,
      ],
      [
        "a server without TLS",
        async () => {
          await nodes.sql("alter system set ssl = off");
          await nodes.sql("select pg_reload_conf()");
        },
        /server does not support SSL/,
      ],
    ])("Eclair refuses %s", async (_, change, message) => {
      await change();
      const { status, log } = await runEclair();
      expect(status).toBe("1");
      expect(log).toMatch(message);
    });

    test("Eclair starts when the correct certificate is restored", async () => {
      await nodes.sql("alter system reset ssl");
      await installCertificate(
        await issueCertificate(await labAuthority(nodes.lab), host(), join(folder, "c")),
      );
      await restoreGate(nodes, id);
      await nodes.inGuest(id, "systemctl start --no-block eclair-supervisor");
      expect((await nodes.waitUntilActive(id)).report?.active).toBe(true);
    });
  },
);

test("the bootstrap refuses a certificate of another authority", async () => {
  const [image] = inject("images");
  const nodes = await cluster(state, "tls-boot", image?.id ?? "");
  const folder = mkdtempSync(join(tmpdir(), "eclair-ami-tls-"));
  const other = await createAuthority(join(folder, "other"), "another CA");
  const { certificate, key } = await issueCertificate(other, nodes.configuration.database.host, folder);
  const tls = join(nodes.lab.state, "databases", nodes.name, "tls");
  await execa("install", [
    "--owner=postgres",
    "--group=postgres",
    "--mode=0600",
    certificate,
    join(tls, "server.crt"),
  ]);
  await execa("install", [
    "--owner=postgres",
    "--group=postgres",
    "--mode=0600",
    key,
    join(tls, "server.key"),
  ]);
  await nodes.sql("select pg_reload_conf()");
  rmSync(folder, { recursive: true });
  const id = await nodes.launch(image?.id ?? "");
  const status = await eventually("the boot to fail", async () => {
    const current = await nodes.status(id);
    return current?.boot.final === true ? current : undefined;
  });
  expect(status.boot.message).toMatch(/^verify failed: database\.certificate-invalid: .*cannot be verified/);
  await nodes.terminate(id);
});
