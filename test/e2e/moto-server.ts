import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { motoDir, root } from "../../scripts/machine/paths.mjs";

/** moto with the lab's changes, on a port of its own. */
export class TestMoto {
  readonly endpoint: string;
  private readonly process: ChildProcess;

  private constructor(port: number, process: ChildProcess) {
    this.endpoint = `http://127.0.0.1:${port}`;
    this.process = process;
  }

  static async start(): Promise<TestMoto> {
    const port = await freePort();
    const server = join(root, "scripts/lab/moto/serve.py");
    const child = spawn(
      join(motoDir(), "bin/python"),
      [server, "--host", "127.0.0.1", "--port", String(port)],
      {
        stdio: "ignore",
        env: {
          ...process.env,
          MOTO_EC2_LOAD_DEFAULT_AMIS: "false",
          LAB_API: `http://127.0.0.1:${port}`,
          LAB_PROPERTIES_FILE: "/dev/null",
        },
      },
    );
    const moto = new TestMoto(port, child);
    while (!(await moto.answers())) {
      if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}`);
      await sleep(50);
    }
    return moto;
  }

  async stop(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.kill();
    await ended;
  }

  /** The settings of clients for a region; another account by the header that moto reads. */
  settings(region: string) {
    return {
      region,
      endpoint: this.endpoint,
      credentials: { accessKeyId: "lab", secretAccessKey: "lab" },
    } as const;
  }

  private async answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.endpoint}/moto-api/data.json`)).ok;
    } catch {
      return false;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
