/** A Network Load Balancer that HAProxy implements, with a node in each of its zones. */
export type LoadBalancer = {
  readonly name: string;
  readonly nodes: readonly LoadBalancerNode[];
  /** Whether each node sends connections to the targets of all zones, or only to those of its own zone. */
  readonly crossZone: boolean;
  readonly listeners: readonly Listener[];
};
/** The address of a load balancer in one zone. */
export type LoadBalancerNode = { readonly zone: string; readonly address: string };
export type Listener = { readonly port: number; readonly group: TargetGroup };

export type TargetGroup = {
  readonly name: string;
  readonly targets: readonly Target[];
  readonly check: HealthCheck;
};
export type Target = {
  readonly id: string;
  readonly zone: string;
  readonly address: string;
  readonly port: number;
};

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
/** The name of a target with health checks in HAProxy's runtime API. */
export const serverPath = (group: TargetGroup, target: Target) =>
  `${backendName(group)}/${serverName(target)}`;

/**
 * HAProxy's configuration. A node of the load balancer sends a connection to a healthy target that it can use: of all zones
 * with cross-zone load balancing, of its own zone without. A node without such a target fails open: all of them receive
 * connections.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html#target-group-health
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
  hard-stop-after 300s
defaults
  mode tcp
  timeout connect 3s
  timeout client 350s
  timeout server 350s
  load-server-state-from-file global
listen none
  bind unix@${socket}.none
${balancers.flatMap(frontends).join("")}${[...groups.values()].map(backend).join("")}`;
}

/** A frontend for each zone and listener, with the backends of the targets that it can use. */
function frontends({ name, nodes, crossZone, listeners }: LoadBalancer): string[] {
  return listeners.flatMap(({ port, group }) =>
    nodes.map(({ zone, address }) => {
      const usable = group.targets.filter((target) => crossZone || target.zone === zone);
      const suffix = `${name}_${zone}_${port}`;
      return `frontend ${suffix}
  bind ${address}:${port}
  use_backend open_${suffix} if { nbsrv(healthy_${suffix}) eq 0 }
  default_backend healthy_${suffix}
backend healthy_${suffix}
${usable.map((target) => `  server ${plainServer(target)} track ${serverPath(group, target)}\n`).join("")}backend open_${suffix}
${usable.map((target) => `  server ${plainServer(target)}\n`).join("")}`;
    }),
  );
}

const plainServer = (target: Target) => `${serverName(target)} ${target.address}:${target.port}`;

/** A backend that only checks the health of a group's targets. */
function backend(group: TargetGroup): string {
  const { check } = group;
  const port = check.port === "" ? "" : ` port ${check.port}`;
  const servers = group.targets.map(
    (target) =>
      `  server ${plainServer(target)} check${port} inter ${check.intervalSeconds}s rise ${check.rise} fall ${check.fall}\n`,
  );
  const http = `  option httpchk\n  http-check send meth GET uri ${check.path} ver HTTP/1.1 hdr Host health\n  http-check expect status ${check.matcher}\n`;
  return `backend ${backendName(group)}
  timeout check ${check.timeoutSeconds}s
${check.protocol === "HTTP" ? http : ""}${servers.join("")}`;
}
