/** A Network Load Balancer that HAProxy implements. */
export type LoadBalancer = {
  readonly name: string;
  readonly address: string;
  readonly listeners: readonly Listener[];
};
export type Listener = { readonly port: number; readonly group: TargetGroup };

export type TargetGroup = {
  readonly name: string;
  readonly targets: readonly Target[];
  readonly check: HealthCheck;
};
export type Target = { readonly id: string; readonly address: string; readonly port: number };

export type HealthCheck = {
  readonly protocol: "HTTP" | "TCP";
  readonly path: string;
  /** Empty for the traffic port. */
  readonly port: string;
  /** The status codes of a healthy target in ELB's format: `200`, `200-399`, `200,204`. */
  readonly matcher: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly rise: number;
  readonly fall: number;
};

export const backendName = (group: TargetGroup) => `group_${group.name}`;
export const serverName = (target: Target) => `${target.id}_${target.port}`;
/** The instance id in the name of a server. */
export const instanceIdOf = (name: string) => name.replace(/_\d+$/, "");
/** The name of a target with health checks in HAProxy's runtime API. */
export const serverPath = (group: TargetGroup, target: Target) =>
  `${backendName(group)}/${serverName(target)}`;

/**
 * HAProxy's configuration. As with an NLB, a target that fails its health checks loses its connections, and when all
 * targets fail their health checks, all of them receive traffic (fail open).
 */
export function haproxyConfiguration(
  balancers: readonly LoadBalancer[],
  socket: string,
  stateFile: string,
): string {
  const groups = new Map(
    balancers.flatMap((balancer) => balancer.listeners.map(({ group }) => [group.name, group])),
  );
  return `global
  stats socket ${socket} mode 600 level admin
  server-state-file ${stateFile}
  hard-stop-after 10s
defaults
  mode tcp
  timeout connect 3s
  timeout client 350s
  timeout server 350s
  load-server-state-from-file global
listen none
  bind unix@${socket}.none
${balancers.flatMap((balancer) => balancer.listeners.map((listener) => frontend(balancer, listener))).join("")}${[...groups.values()].map(backends).join("")}`;
}

function frontend(balancer: LoadBalancer, { port, group }: Listener): string {
  return `frontend ${balancer.name}_${port}
  bind ${balancer.address}:${port}
  use_backend open_${group.name} if { nbsrv(${backendName(group)}) eq 0 }
  default_backend ${backendName(group)}
`;
}

function backends(group: TargetGroup): string {
  const { check } = group;
  const port = check.port === "" ? "" : ` port ${check.port}`;
  const servers = group.targets.map(
    (target) =>
      `  server ${serverName(target)} ${target.address}:${target.port} check${port} inter ${check.intervalSeconds}s rise ${check.rise} fall ${check.fall} on-marked-down shutdown-sessions\n`,
  );
  const open = group.targets.map(
    (target) => `  server ${serverName(target)} ${target.address}:${target.port}\n`,
  );
  const http = `  option httpchk\n  http-check send meth GET uri ${check.path} ver HTTP/1.1 hdr Host health\n  http-check expect status ${check.matcher}\n`;
  return `backend ${backendName(group)}
  timeout check ${check.timeoutSeconds}s
${check.protocol === "HTTP" ? http : ""}${servers.join("")}backend open_${group.name}
${open.join("")}`;
}
