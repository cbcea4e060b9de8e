import type { PackageImport } from './package-imports.ts';
import type { Project } from './workspace.ts';

/**
 * Each import cycle between projects once, told from its first name in the alphabet. Tests may close a circle: nothing
 * runs along it.
 */
export function findCycles(projects: Project[], imports: PackageImport[]): string[] {
  const edges = productionEdges(projects, imports);
  const cycles = new Set<string>();
  const walk = (name: string, path: string[]) => {
    const seenAt = path.indexOf(name);
    if (seenAt === -1) {
      for (const next of edges.get(name) ?? []) walk(next, [...path, name]);
      return;
    }
    const cycle = path.slice(seenAt);
    const first = cycle.indexOf(cycle.toSorted()[0] ?? name);
    const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
    cycles.add(`import cycle: ${[...turned, turned[0]].join(' -> ')}`);
  };
  for (const name of edges.keys()) walk(name, []);
  return [...cycles];
}

function productionEdges(projects: Project[], imports: PackageImport[]): Map<string, Set<string>> {
  const names = new Map(projects.map((project) => [project.packageName, project.name]));
  const edges = new Map(projects.map((project) => [project.name, new Set<string>()]));
  const add = (from: Project, packageName: string) => {
    const to = names.get(packageName);
    if (to && to !== from.name) edges.get(from.name)?.add(to);
  };
  for (const project of projects) for (const name of project.dependencies) add(project, name);
  for (const each of imports) if (!each.isTest) add(each.project, each.packageName);
  return edges;
}
