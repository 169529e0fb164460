import { cruise, type ICruiseResult } from "dependency-cruiser";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import configuration from "../../.dependency-cruiser.mjs";

/** The folders that contain rooms. */
const sides = ["bootstrap", "infra", "scripts"] as const;
const maximumFiles = 12;

/** Every violation of the boundaries below a root folder that contains bootstrap/, infra/ and scripts/. */
export async function boundaryViolations(root: string): Promise<string[]> {
  const { forbidden = [], options } = configuration;
  const { output } = await cruise(
    [...sides],
    { ...options, baseDir: root, validate: true, ruleSet: { forbidden } },
    options?.enhancedResolveOptions,
  );
  const { summary, modules } = output as ICruiseResult;
  const violations = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  return [...violations, ...roomCycles(modules), ...sides.flatMap((side) => fullFolders(root, side))];
}

/** `bootstrap/os` for `bootstrap/os/log.ts`; undefined for a file that is not in a room. */
const roomOf = (file: string): string | undefined =>
  /^(?:bootstrap|infra|scripts)\/[^/]+(?=\/)/.exec(file)?.[0];

/** dependency-cruiser finds cycles between files and between folders, and not between folders with their subfolders. */
function roomCycles(modules: ICruiseResult["modules"]): string[] {
  const imports = new Map<string, Map<string, string>>();
  for (const { source, dependencies } of modules)
    for (const { resolved } of dependencies) {
      const [from, to] = [roomOf(source), roomOf(resolved)];
      if (from === undefined || to === undefined || from === to) continue;
      imports.set(from, (imports.get(from) ?? new Map<string, string>()).set(to, `${source} → ${resolved}`));
    }
  const reaches = (from: string, to: string, visited = new Set<string>()): boolean =>
    [...(imports.get(from)?.keys() ?? [])].some((next) => {
      if (next === to) return true;
      if (visited.has(next)) return false;
      visited.add(next);
      return reaches(next, to, visited);
    });
  return [...imports].flatMap(([from, targets]) =>
    [...targets].flatMap(([to, example]) =>
      reaches(to, from) ? [`no-cycle-between-rooms: ${from} → ${to} (${example})`] : [],
    ),
  );
}

/** Folders that directly contain more files than a reader can survey. */
function fullFolders(root: string, folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).length;
  return [
    ...(files > maximumFiles ? [`at-most-${maximumFiles}-files: ${folder} contains ${files}`] : []),
    ...entries.flatMap((entry) => (entry.isDirectory() ? fullFolders(root, `${folder}/${entry.name}`) : [])),
  ];
}
