import {
  DescribeLoadBalancersCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { handshakeThroughLoadBalancer } from "../../scripts/lab-cluster/load-balancer-endpoint.ts";
import type { NodeStatus } from "../../scripts/cluster/status.ts";
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
      status = await nodes.waitUntilActive(id);
    });
    afterAll(() => nodes.terminate(id));

    test("runs the node of its configuration", async () => {
      expect(status.report?.eclair.info?.nodeId).toBe(nodes.configuration.nodeId);
      expect(status.report).toMatchObject({ role: "active", ready: true, active: true, cluster: nodes.name });
      expect(status.report?.boot.phases.map(({ name }) => name)).toEqual([
        ...["load", "parse", "resolve", "verify", "render", "chain-volume", "register", "hand-over"],
      ]);
      const info = (await nodes.api(id, "getinfo")) as { alias: string; publicAddresses: string[] };
      expect(info.publicAddresses).toEqual(["203.0.113.7:9735", "[2001:db8::1]:9735"]);
      expect(info.alias).toBe('a "b" ${HOME} #c\\');
    });

    test("can be reached through its load balancer, which requests /serving", async () => {
      await eventually("the target to be healthy", async () =>
        (await nodes.status(id))?.targetHealth.includes("healthy") === true ? true : undefined,
      );
      // HAProxy serves every load balancer of the lab, and a drill restarts it.
      const handshake = () => handshakeThroughLoadBalancer(nodes.target, nodes.configuration);
      await eventually("a handshake through the load balancer", async () =>
        (await handshake()).answered ? true : undefined,
      );
      // Another process at the port would not have the key.
      const otherNodeId = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
      const other = { cluster: nodes.name, nodeId: otherNodeId };
      expect(await handshakeThroughLoadBalancer(nodes.target, other)).toMatchObject({ answered: false });
      const { LoadBalancers } = await nodes.target
        .client(ElasticLoadBalancingV2Client)
        .send(new DescribeLoadBalancersCommand({ Names: [nodes.name] }));
      expect(LoadBalancers?.[0]?.DNSName).toMatch(/\.elb\.amazonaws\.com$/);
    });

    test("holds the lease, and every database session of Eclair uses TLS", async () => {
      const [holder = ""] = (await nodes.sql("select instance from lease")).split("\n");
      expect(holder).toBe(status.report?.eclair.info?.eclairInstanceId);
      const sessions = await nodes.sql(
        "select ssl, version from pg_stat_ssl join pg_stat_activity using (pid) where split_part(application_name, '/', 1) = 'eclair'",
      );
      expect(sessions.split("\n").length).toBeGreaterThanOrEqual(1);
      expect(new Set(sessions.split("\n"))).toEqual(new Set(["t|TLSv1.3"]));
    });

    test("has the same state in `status`, `logs` and `eclair-bootstrap status`", async () => {
      const shown = await cli(["status", "--json", "--state", state, "--cluster", nodes.name]);
      const ownStatus = (JSON.parse(shown.stdout) as NodeStatus[]).find(
        ({ instanceId }) => instanceId === id,
      );
      expect(ownStatus).toMatchObject({ imageId, instanceState: "running", report: { role: "active" } });
      const table = await cli(["status", "--state", state, "--cluster", nodes.name]);
      expect(table.stdout).toContain(nodes.configuration.nodeId);
      const logs = await cli(["logs", id, "--state", state]);
      expect(logs.stdout).toMatch(/"event":"boot.phase","phase":"hand-over","durationMs":\d+/);
      const guest = await nodes.inGuest(id, "eclair-bootstrap status");
      expect(guest.exitCode).toBe(0);
      expect(guest.stdout).toMatch(/^role: active since/m);
      expect(guest.stdout).toContain(`node: ${nodes.configuration.nodeId} on regtest`);
    });

    test("serves health and metrics on one port, and opens no other ports than SSH and Lightning", async () => {
      const request = (path: string, address = "127.0.0.1") =>
        nodes.inGuest(
          id,
          `exec 3<>/dev/tcp/${address}/8090; printf 'GET ${path} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3`,
        );
      for (const path of ["/live", "/ready", "/active", "/serving"])
        expect((await request(path)).stdout).toMatch(/^HTTP\/1.1 200 /);
      expect((await request("/other")).stdout).toMatch(/^HTTP\/1.1 404 /);
      // A client that is neither this host nor a scraper learns what a load balancer needs.
      const asOthers = await request("/active", status.privateIp);
      expect(asOthers.stdout).toMatch(/^\{"live":true,"ready":true,"active":true,"serving":true\}\r?$/m);
      expect((await request("/metrics", status.privateIp)).stdout).toMatch(/^HTTP\/1.1 403 /);
      expect((await request("/active")).stdout).toContain('"role":"active"');
      const metrics = (await request("/metrics")).stdout;
      expect(metrics).toMatch(/^eclair_ami_active\{.*\} 1$/m);
      expect(metrics).toMatch(/^eclair_ami_role\{role="active".*\} 1$/m);
      expect(metrics).toMatch(/^eclair_ami_lease_remaining_seconds\{.*\} \d/m);
      expect(metrics).toMatch(/^eclair_ami_bitcoind_lag_blocks\{.*\} 0$/m);
      expect(metrics).toMatch(/^eclair_ami_boot_phase_duration_seconds\{phase="resolve".*\} [\d.]+$/m);
      const open = await nodes.inGuest(
        id,
        "cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"0A\" { print $2 }'",
      );
      const ports = open.stdout
        .split("\n")
        .filter((line) => !/^[0-9A-F]{6}7F:|^0{24}01000000:|^0{16}FFFF0000[0-9A-F]{6}7F:/.test(line))
        .map((line) => Number.parseInt(line.split(":")[1] ?? "", 16));
      expect([...new Set(ports)].toSorted((a, b) => a - b)).toEqual([22, 8090, 9735, 9736]);
    });

    test("keeps data folder and secrets in RAM that is never swapped, and only their user can read them", async () => {
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

    test("permits Eclair only the RPC methods of bitcoind that it needs", async () => {
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

    /** Whether a user of the instance can open a connection. */
    const connects = async (user: string, endpoint: string): Promise<boolean> => {
      const script = `setpriv --reuid=${user} --regid=${user} --clear-groups bash -c 'exec 3<>/dev/tcp/${endpoint} && echo open'`;
      return (await nodes.inGuest(id, script)).stdout === "open";
    };

    test("lets only root connect to the metadata service", async () => {
      expect(await connects("root", "169.254.169.254/80")).toBe(true);
      for (const user of ["bitcoin", "eclair", "www-data"])
        expect(await connects(user, "169.254.169.254/80"), user).toBe(false);
      const rules = await nodes.inGuest(id, "nft list chain inet filter output");
      expect(rules.stdout).toContain("ip6 daddr fd00:ec2::254 meta skuid != 0 reject");
    });

    test("lets only root and eclair connect to Eclair's API", async () => {
      for (const user of ["root", "eclair"]) expect(await connects(user, "127.0.0.1/8080"), user).toBe(true);
      for (const user of ["bitcoin", "www-data"])
        expect(await connects(user, "127.0.0.1/8080"), user).toBe(false);
    });

    test("answers a malformed health request with 404", async () => {
      const request = `exec 3<>/dev/tcp/127.0.0.1/8090; printf 'GET // HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3; head -n 1 <&3`;
      expect((await nodes.inGuest(id, request)).stdout).toMatch(/ 404 /);
      expect((await nodes.status(id))?.report?.active).toBe(true);
    });

    test("confines every unit of this project", async () => {
      const limits: Readonly<Record<string, number>> = {
        // The deviations of these units are necessary: the bootstrap changes owners and creates file systems, and the image test
        // reads every file.
        "eclair-bootstrap.service": 2.4,
        "eclair-image-test.service": 2.2,
      };
      const units = "bitcoind eclair@a eclair-bootstrap eclair-image-test eclair-supervisor eclair-target";
      const shown = await nodes.inGuest(
        id,
        `for unit in ${units}; do systemd-analyze security --no-pager $unit.service | tail -n 1; done`,
      );
      const levels = [...shown.stdout.matchAll(/for (\S+): ([\d.]+)/g)];
      expect(levels).toHaveLength(6);
      for (const [, unit = "", level] of levels)
        expect(Number(level), unit).toBeLessThanOrEqual(limits[unit] ?? 2);
    });

    test("starts no Eclair without the rule for the metadata service", async () => {
      const start = "systemctl reset-failed eclair@b; systemctl start eclair@b";
      await nodes.inGuest(id, "nft flush chain inet filter output");
      const refused = await nodes.inGuest(id, start);
      expect(refused.exitCode, refused.all).not.toBe(0);
      await nodes.inGuest(id, "systemctl restart nftables");
    });

    test("stays registered when its services restart and when it reboots, and is deregistered when it is terminated", async () => {
      const registered = async () => {
        const { TargetHealthDescriptions } = await nodes.target
          .client(ElasticLoadBalancingV2Client)
          .send(new DescribeTargetHealthCommand({ TargetGroupArn: nodes.configuration.targetGroupArns[0] }));
        return (TargetHealthDescriptions ?? []).map((description) => description.Target?.Id);
      };
      const restarted = await nodes.inGuest(
        id,
        "systemctl restart eclair-target.service eclair-bootstrap.service",
      );
      expect(restarted.exitCode, restarted.all).toBe(0);
      expect(await registered()).toEqual([id]);
      const bootedAt = async () => (await nodes.status(id))?.report?.boot.startedAt;
      const before = await bootedAt();
      await nodes.inGuest(id, "systemctl reboot");
      await eventually("the node to boot again", async () => {
        expect(await registered()).toEqual([id]);
        return (await bootedAt()) === before ? undefined : true;
      });
      await nodes.waitUntilActive(id);
      await nodes.terminate(id);
      await nodes.waitUntilTerminated(id);
      expect(await registered()).toEqual([]);
      const log = await cli(["logs", id, "--state", state]);
      expect(log.stdout).toMatch(/"event":"targets.deregistered","targetGroups":1/);
    });
  },
);

test("two seeds make two nodes from one image", async () => {
  const [image] = inject("images");
  const clusters = await Promise.all(["two-a", "two-b"].map((name) => cluster(state, name, image?.id ?? "")));
  const ids = await Promise.all(clusters.map((nodes) => nodes.launch(image?.id ?? "")));
  const statuses = await Promise.all(clusters.map((nodes, index) => nodes.waitUntilActive(ids[index] ?? "")));
  const nodeIds = statuses.map((status) => status.report?.eclair.info?.nodeId);
  expect(nodeIds).toEqual(clusters.map((nodes) => nodes.configuration.nodeId));
  expect(new Set(nodeIds).size).toBe(2);
  await Promise.all(clusters.map((nodes, index) => nodes.terminate(ids[index] ?? "")));
});

test("launch, status, logs and terminate work with the target aws (endpoints pinned to the lab)", async () => {
  const image = inject("images")[0]?.id ?? "";
  const nodes = await cluster(state, "on-aws", image);
  const env = {
    AWS_ENDPOINT_URL: nodes.endpoint,
    AWS_ACCESS_KEY_ID: "lab",
    AWS_SECRET_ACCESS_KEY: "lab",
  };
  const aws = (...args: string[]) => cli([...args, "--target", "aws", "--region", "us-east-1"], env);
  const withoutTemplate = await aws("launch", "--image", image, "--config", nodes.file);
  expect(withoutTemplate).toMatchObject({ exitCode: 2, stdout: "" });
  expect(withoutTemplate.stderr).toMatch(/--launch-template is missing/);

  const launched = await aws(
    "launch",
    "--image",
    image,
    "--config",
    nodes.file,
    "--launch-template",
    `${nodes.name}-single`,
    "--name",
    "far",
  );
  expect(launched.stdout).toMatch(/^i-[0-9a-f]+ starts from version 2 of on-aws-single$/);
  const log = await eventually("the console to show the end of the boot", async () => {
    const { stdout } = await aws("logs", "far");
    return stdout.includes('"phase":"hand-over"') ? stdout : undefined;
  });
  expect(log).toMatch(/"phase":"register"/);
  const active = await eventually("the instance to be active", async () => {
    const shown = await aws("status", "--json");
    const status = (JSON.parse(shown.stdout) as NodeStatus[]).find(({ name }) => name === "far");
    return status?.report?.active === true ? status : undefined;
  });
  expect(active).toMatchObject({ instanceState: "running", cluster: "on-aws", imageId: image });
  expect((await aws("status")).stdout).toContain(nodes.configuration.nodeId);
  expect((await aws("terminate", "i-0123456789abcdef0")).stderr).toMatch(
    /no instance of this project has that id or name/,
  );
  expect((await aws("terminate", "far")).stdout).toMatch(/EC2 terminates i-/);
});
