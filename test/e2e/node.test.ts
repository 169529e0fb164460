import {
  DescribeLoadBalancersCommand,
  DescribeTargetHealthCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { throughLoadBalancer } from "../../scripts/lab/cluster/demo.ts";
import type { NodeStatus } from "../../scripts/nodes/status.ts";
import { cli, eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");

describe.each(inject("images"))(
  "an instance of the image with the $eclair Eclair",
  ({ eclair, id: imageId }) => {
    let nodes: Cluster;
    let id: string;
    let status: NodeStatus;

    beforeAll(async () => {
      nodes = await cluster(state, `node-${eclair}`, imageId);
      id = await nodes.launch(imageId, {
        alias: 'a "b" ${HOME} #c\\',
        publicAddresses: ["203.0.113.7", "2001:db8::1"],
      });
      status = await nodes.active(id);
    });
    afterAll(() => nodes.terminate(id));

    test("comes up as the node that its configuration expects", async () => {
      expect(status.state?.eclair.info?.nodeId).toBe(nodes.configuration.nodeId);
      expect(status.state).toMatchObject({ role: "active", ready: true, active: true, cluster: nodes.name });
      expect(status.state?.boot.phases.map(({ name }) => name)).toEqual([
        ...["load", "parse", "resolve", "verify", "render", "chain-volume", "register", "hand-over"],
      ]);
      const info = (await nodes.api(id, "getinfo")) as { alias: string; publicAddresses: string[] };
      expect(info.publicAddresses).toEqual(["203.0.113.7:9735", "[2001:db8::1]:9735"]);
      expect(info.alias).toBe('a "b" ${HOME} #c\\');
    });

    test("is reached through its load balancer, which asks /active", async () => {
      await eventually("the target to be healthy", async () =>
        (await nodes.status(id))?.targetHealth.includes("healthy") === true ? true : undefined,
      );
      // HAProxy serves every load balancer of the lab, and a drill restarts it.
      await eventually("a connection through the load balancer", async () =>
        (await throughLoadBalancer(nodes.target, nodes.name)).connects ? true : undefined,
      );
      const { LoadBalancers } = await nodes.target.elb.send(
        new DescribeLoadBalancersCommand({ Names: [nodes.name] }),
      );
      expect(LoadBalancers?.[0]?.DNSName).toMatch(/\.elb\.amazonaws\.com$/);
    });

    test("holds the lease, and every session of Eclair's has TLS", async () => {
      const [holder = ""] = (await nodes.sql("select instance from lease")).split("\n");
      expect(holder).toBe(status.state?.eclair.info?.instanceId);
      const sessions = await nodes.sql(
        "select ssl, version from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'eclair'",
      );
      expect(sessions.split("\n").length).toBeGreaterThanOrEqual(1);
      expect(new Set(sessions.split("\n"))).toEqual(new Set(["t|TLSv1.3"]));
    });

    test("`status`, `logs` and the bootstrap's own status tell the same", async () => {
      const shown = await cli(["status", "--json", "--state", state]);
      const mine = (JSON.parse(shown.stdout) as NodeStatus[]).find(({ instanceId }) => instanceId === id);
      expect(mine).toMatchObject({ imageId, instance: "running", state: { role: "active" } });
      const table = await cli(["status", "--state", state]);
      expect(table.stdout).toContain(nodes.configuration.nodeId.slice(0, 22));
      const logs = await cli(["logs", id, "--state", state]);
      expect(logs.stdout).toMatch(/"eclairAmi":"hand-over","ms":\d+/);
      const own = await nodes.inGuest(id, "eclair-bootstrap status");
      expect(own.exitCode).toBe(0);
      expect(own.stdout).toMatch(/^role: active since/m);
      expect(own.stdout).toContain(`node: ${nodes.configuration.nodeId} on regtest`);
    });

    test("health and metrics are on one port, and nothing else listens", async () => {
      const ask = (path: string) =>
        nodes.inGuest(
          id,
          `exec 3<>/dev/tcp/${status.address}/8090; printf 'GET ${path} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3`,
        );
      for (const path of ["/live", "/ready", "/active"])
        expect((await ask(path)).stdout).toMatch(/^HTTP\/1.1 200 /);
      expect((await ask("/other")).stdout).toMatch(/^HTTP\/1.1 404 /);
      const metrics = (await ask("/metrics")).stdout;
      expect(metrics).toMatch(/^eclair_ami_active\{.*\} 1$/m);
      expect(metrics).toMatch(/^eclair_ami_role\{role="active".*\} 1$/m);
      expect(metrics).toMatch(/^eclair_ami_lease_remaining_seconds\{.*\} \d/m);
      expect(metrics).toMatch(/^eclair_ami_block_lag\{.*\} 0$/m);
      expect(metrics).toMatch(/^eclair_ami_boot_phase_seconds\{phase="resolve".*\} [\d.]+$/m);
      const open = await nodes.inGuest(
        id,
        "cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"0A\" { print $2 }'",
      );
      const ports = open.stdout
        .split("\n")
        .filter((line) => !/^[0-9A-F]{6}7F:|^0{24}01000000:|^0{16}FFFF0000[0-9A-F]{6}7F:/.test(line))
        .map((line) => Number.parseInt(line.split(":")[1] ?? "", 16));
      expect([...new Set(ports)].toSorted((a, b) => a - b)).toEqual([22, 8090, 9735]);
    });

    test("data folder and secrets are in RAM that is never swapped, each its user's alone", async () => {
      const listed = await nodes.inGuest(
        id,
        "for folder in /run/eclair /run/eclair-supervisor; do findmnt -no FSTYPE,OPTIONS $folder; done; stat -c '%U:%G %a %n' /run/eclair /run/eclair/* /run/eclair/regtest/last_jdbcurl /run/eclair-supervisor /run/eclair-supervisor/*",
      );
      expect(listed.stdout.match(/^tmpfs .*noswap/gm)).toHaveLength(2);
      expect(listed.stdout.split("\n").slice(2).toSorted()).toEqual([
        "eclair:eclair 400 /run/eclair/channel_seed.dat",
        "eclair:eclair 400 /run/eclair/eclair-signer.conf",
        "eclair:eclair 400 /run/eclair/eclair.conf",
        "eclair:eclair 400 /run/eclair/node_seed.dat",
        "eclair:eclair 400 /run/eclair/regtest/last_jdbcurl",
        "eclair:eclair 700 /run/eclair",
        "eclair:eclair 700 /run/eclair/regtest",
        "root:root 400 /run/eclair-supervisor/rendered.json",
        "root:root 400 /run/eclair-supervisor/secrets.json",
        "root:root 600 /run/eclair-supervisor/holder",
        "root:root 700 /run/eclair-supervisor",
      ]);
    });

    test("bitcoind lets each user call only what it needs", async () => {
      const call = (method: string) =>
        nodes.inGuest(
          id,
          `login=$(sed -n 's/^    rpcuser = "\\(.*\\)"$/\\1/p; s/^    rpcpassword = "\\(.*\\)"$/:\\1/p' /run/eclair/eclair.conf | tr -d '\\n')
         body='{"method":"${method}"}'
         exec 3<>/dev/tcp/127.0.0.1/8332
         printf 'POST / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nAuthorization: Basic %s\\r\\nContent-Length: %s\\r\\n\\r\\n%s' "$(printf '%s' "$login" | base64 -w 0)" "\${#body}" "$body" >&3
         head -n 1 <&3`,
        );
      expect((await call("getblockcount")).stdout).toMatch(/ 200 /);
      for (const method of ["stop", "dumpprivkey", "listdescriptors", "createwallet"])
        expect((await call(method)).stdout, method).toMatch(/ 403 /);
    });

    test("nobody but root gets the role's credentials", async () => {
      const ask = (user: string) =>
        nodes.inGuest(
          id,
          `setpriv --reuid=${user} --regid=${user} --clear-groups bash -c 'exec 3<>/dev/tcp/169.254.169.254/80 && echo open'`,
        );
      expect((await ask("root")).stdout).toBe("open");
      for (const user of ["bitcoin", "eclair", "www-data"]) expect((await ask(user)).stdout, user).toBe("");
    });

    test("a malformed request does the health endpoint no harm", async () => {
      const ask = `exec 3<>/dev/tcp/127.0.0.1/8090; printf 'GET // HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3; head -n 1 <&3`;
      expect((await nodes.inGuest(id, ask)).stdout).toMatch(/ 404 /);
      expect((await nodes.status(id))?.state?.active).toBe(true);
    });

    test("every unit of ours is confined, or says why not", async () => {
      const limits: Readonly<Record<string, number>> = {
        // Its deviations say why: it owns files to others and makes file systems; it looks at every file.
        "eclair-bootstrap.service": 2.4,
        "eclair-image-test.service": 2.2,
      };
      const units = "bitcoind eclair@a eclair-bootstrap eclair-image-test eclair-supervisor eclair-target";
      const shown = await nodes.inGuest(
        id,
        `for unit in ${units}; do systemd-analyze security --no-pager $unit.service | tail -n 1; done`,
      );
      const found = [...shown.stdout.matchAll(/for (\S+): ([\d.]+)/g)];
      expect(found).toHaveLength(6);
      for (const [, unit = "", level] of found)
        expect(Number(level), unit).toBeLessThanOrEqual(limits[unit] ?? 2);
    });

    test("a restarted service stays registered; a terminated instance leaves its target group", async () => {
      const registered = async () => {
        const { TargetHealthDescriptions } = await nodes.target.elb.send(
          new DescribeTargetHealthCommand({ TargetGroupArn: nodes.configuration.targetGroups[0] }),
        );
        return (TargetHealthDescriptions ?? []).map((description) => description.Target?.Id);
      };
      const restarted = await nodes.inGuest(
        id,
        "systemctl restart eclair-target.service eclair-bootstrap.service",
      );
      expect(restarted.exitCode, restarted.all).toBe(0);
      expect(await registered()).toEqual([id]);
      await nodes.terminate(id);
      await nodes.gone(id);
      expect(await registered()).toEqual([]);
      const log = await cli(["logs", id, "--state", state]);
      expect(log.stdout).toMatch(/"eclairAmi":"deregister","targetGroups":1/);
    });
  },
);

test("two seeds make two nodes of one image", async () => {
  const [image] = inject("images");
  const both = await Promise.all(["two-a", "two-b"].map((name) => cluster(state, name, image?.id ?? "")));
  const ids = await Promise.all(both.map((one) => one.launch(image?.id ?? "")));
  const found = await Promise.all(both.map((one, index) => one.active(ids[index] ?? "")));
  const nodeIds = found.map((status) => status.state?.eclair.info?.nodeId);
  expect(nodeIds).toEqual(both.map((one) => one.configuration.nodeId));
  expect(new Set(nodeIds).size).toBe(2);
  await Promise.all(both.map((one, index) => one.terminate(ids[index] ?? "")));
});

test("launch, status, logs and terminate do the same on AWS (its endpoints pinned to the lab)", async () => {
  const image = inject("images")[0]?.id ?? "";
  const nodes = await cluster(state, "on-aws", image);
  const env = {
    AWS_ENDPOINT_URL: nodes.endpoint,
    AWS_ACCESS_KEY_ID: "lab",
    AWS_SECRET_ACCESS_KEY: "lab",
  };
  const aws = (...args: string[]) => cli([...args, "--target", "aws", "--region", "us-east-1"], env);
  const unnamed = await aws("launch", "--image", image, "--config", nodes.file);
  expect(unnamed).toMatchObject({ exitCode: 2, stdout: "" });
  expect(unnamed.stderr).toMatch(/no launch template is named/);

  const launched = await aws(
    "launch",
    "--image",
    image,
    "--config",
    nodes.file,
    "--template",
    nodes.name,
    "--name",
    "far",
  );
  expect(launched.stdout).toMatch(/^i-[0-9a-f]+ is starting, from version 2 of on-aws$/);
  const logged = await eventually("the console to show the boot's end", async () => {
    const { stdout } = await aws("logs", "far");
    return stdout.includes('"eclairAmi":"hand-over"') ? stdout : undefined;
  });
  expect(logged).toMatch(/"eclairAmi":"register"/);
  const mine = await eventually("the instance to be active", async () => {
    const shown = await aws("status", "--json");
    const found = (JSON.parse(shown.stdout) as NodeStatus[]).find(({ name }) => name === "far");
    return found?.state?.active === true ? found : undefined;
  });
  expect(mine).toMatchObject({ instance: "running", cluster: "on-aws", imageId: image });
  expect((await aws("status")).stdout).toContain(nodes.configuration.nodeId.slice(0, 22));
  expect((await aws("terminate", "i-0123456789abcdef0")).stderr).toMatch(/none of this project's instances/);
  expect((await aws("terminate", "far")).stdout).toMatch(/is being terminated/);
});
