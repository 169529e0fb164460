// The boundaries of docs/architecture.md. test/boundaries enforces them, and the rules that dependency-cruiser cannot express.

/**
 * Modules under bootstrap/ that scripts/ imports in addition to bootstrap/contract/, with the reason. The list is short on
 * purpose: everything else that both sides need belongs to the contract.
 */
const exceptions = [
  {
    from: "^scripts/(verbs/cluster/config|cluster/configuration/placeholder-secrets)\\.ts$",
    to: "^bootstrap/(render/|secrets/resolve\\.ts$|aws/rds-certificates\\.ts$|os/paths\\.ts$)",
    reason:
      "`config render` prints the files that an instance would write, so it must use the code of the instance.",
  },
  {
    from: "^scripts/(lab|drills)/",
    to: "^bootstrap/(eclair/api|bitcoind/rpc/client)\\.ts$",
    reason: "The lab and the drills call the same Eclair and bitcoind, with the same client.",
  },
];

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-cycle-between-files",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "contract-is-independent",
      comment: "Every side imports the contract, so the contract imports no other room.",
      severity: "error",
      from: { path: "^bootstrap/contract/" },
      to: { path: "^(bootstrap|infra|scripts)/", pathNot: "^bootstrap/contract/" },
    },
    {
      name: "infra-is-a-library",
      comment:
        "Users' own CDK code imports the constructs, which need nothing of the command line or of the instance.",
      severity: "error",
      from: { path: "^infra/" },
      to: { path: "^(bootstrap|scripts)/", pathNot: "^bootstrap/contract/" },
    },
    {
      name: "scripts-import-the-contract-only",
      severity: "error",
      from: { path: "^scripts/", pathNot: exceptions.map(({ from }) => from) },
      to: { path: "^bootstrap/", pathNot: "^bootstrap/contract/" },
    },
    ...exceptions.map(({ from, to, reason }) => ({
      name: `exception-for-${from.replace(/[^a-z]+/g, "-").replace(/^-|-$/g, "")}`,
      comment: reason,
      severity: /** @type {const} */ ("error"),
      from: { path: from },
      to: { path: "^bootstrap/", pathNot: ["^bootstrap/contract/", to] },
    })),
    {
      name: "bootstrap-is-independent",
      comment: "The program on the instance contains nothing of the command line.",
      severity: "error",
      from: { path: "^bootstrap/" },
      to: { path: "^(infra|scripts)/" },
    },
    {
      name: "product-imports-no-test",
      severity: "error",
      from: { path: "^(bootstrap|infra|scripts)/" },
      to: { path: "^(test|bench)/" },
    },
    {
      name: "product-imports-no-development-package",
      comment: "dependencies of package.json, except in the set-up that installs the development tools",
      severity: "error",
      from: { path: "^(bootstrap|infra|scripts)/", pathNot: "^scripts/machine/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js"],
      exportsFields: ["exports"],
      conditionNames: ["import", "node"],
    },
  },
};
