import { posix } from 'node:path';
import { findCycles } from './find-cycles.ts';
import { isTestProject, type PackageImport, packageImports } from './package-imports.ts';
import { ENV_READERS, type Layer, LIB_LAYERS, MAY_IMPORT, OWNERS, SUBPATHS, TEST_ONLY_LIBS } from './rules.ts';
import { importedPath, type Project } from './workspace.ts';

/** Every broken rule, one readable line each: the place, what is there, and what the rule says. */
export function findBreaches(projects: Project[]): string[] {
  const byPackage = new Map(projects.map((project) => [project.packageName, project]));
  const imports = projects.flatMap(packageImports);
  const breaches = [
    ...projects.flatMap(breachesOfProject),
    ...projects.flatMap((project) => breachesOfManifest(project, byPackage)),
    ...projects.flatMap((project) => breachesOfSources(project, projects)),
    ...imports.flatMap((each) => breachesOfImport(each, byPackage)),
    ...findCycles(projects, imports),
  ];
  return [...new Set(breaches)].toSorted();
}

function breachesOfProject(project: Project): string[] {
  const breaches: string[] = [];
  if (!project.hasReadme) breaches.push(`${project.dir}: has no README.md`);
  if (!layerOf(project)) breaches.push(`${project.dir}: has no layer; name it in tools/boundaries/rules.ts`);
  if (project.packageName !== `@aigolos/${project.name}`) {
    breaches.push(`${project.dir}/package.json: is named ${project.packageName}, not @aigolos/${project.name}`);
  }
  return breaches;
}

function breachesOfManifest(project: Project, byPackage: Map<string, Project>): string[] {
  const where = `${project.dir}/package.json`;
  const all = [
    ...project.dependencies.map((name) => ({ name, isTest: isTestProject(project) })),
    ...project.devDependencies.map((name) => ({ name, isTest: true })),
  ];
  return all.flatMap(({ name, isTest }) => {
    const target = byPackage.get(name);
    const breach = target ? layerBreach(project, target, isTest) : ownerBreach(project, name);
    return breach ? [`${where}: ${breach}`] : [];
  });
}

function breachesOfSources(project: Project, projects: Project[]): string[] {
  return project.sources.flatMap((file) => {
    const env = ENV_READERS.includes(project.name)
      ? []
      : file.envLines.map((line) => `${file.path}:${line}: reads process.env; only ${ENV_READERS.join(', ')} may`);
    const trespasses = file.imports.flatMap(({ specifier, line }) => {
      if (!specifier.startsWith('.')) return [];
      const target = importedPath(file, specifier);
      const other = projects.find(({ dir }) => dir !== project.dir && target.startsWith(`${dir}/`));
      return other ? [`${file.path}:${line}: reaches into ${other.dir} by path; import ${other.packageName}`] : [];
    });
    return [...env, ...trespasses];
  });
}

function breachesOfImport(each: PackageImport, byPackage: Map<string, Project>): string[] {
  const { project, isTest, packageName, subpath, where } = each;
  const target = byPackage.get(packageName);
  if (!target && !packageName.startsWith('@aigolos/')) return prefixed(where, ownerBreach(project, packageName));
  if (!target) return [`${where}: there is no project ${packageName}`];
  if (target === project) return [];
  return [
    ...prefixed(where, layerBreach(project, target, isTest)),
    ...prefixed(where, subpathBreach(project, target, subpath, isTest)),
    ...prefixed(where, declarationBreach(project, packageName, isTest)),
  ];
}

function layerBreach(project: Project, target: Project, isTest: boolean): string | undefined {
  const [from, to] = [layerOf(project), layerOf(target)];
  if (!from || !to) return undefined;
  if (TEST_ONLY_LIBS.includes(target.name)) {
    return isTest ? undefined : `imports ${target.packageName}, which is for test files and devDependencies only`;
  }
  if (MAY_IMPORT[from].includes(to)) return undefined;
  return `imports ${target.packageName}; the layer ${from} may import ${MAY_IMPORT[from].join(', ') || 'no other'} only`;
}

function subpathBreach(project: Project, target: Project, subpath: string, isTest: boolean): string | undefined {
  const rule = SUBPATHS[target.name];
  if (!rule || project.kind !== 'app') return undefined;
  const allowed = [...(rule.apps[project.name] ?? []), ...(isTest ? rule.tests : [])];
  if (allowed.includes(subpath)) return undefined;
  const named = posix.join(target.packageName, subpath);
  return `imports ${named}; ${project.name} may use ${allowed.join(', ') || 'nothing'} of it`;
}

function ownerBreach(project: Project, packageName: string): string | undefined {
  const rule = Object.entries(OWNERS).find(([pattern]) => posix.matchesGlob(packageName, pattern));
  if (!rule || rule[1].includes(project.name)) return undefined;
  return `knows ${packageName}, which belongs to ${rule[1].join(', ')}`;
}

function declarationBreach(project: Project, packageName: string, isTest: boolean): string | undefined {
  if (project.dependencies.includes(packageName)) return undefined;
  if (!project.devDependencies.includes(packageName)) return `imports ${packageName}, which package.json does not name`;
  return isTest ? undefined : `imports ${packageName}, which is a devDependency only`;
}

function layerOf(project: Project): Layer | undefined {
  return project.kind === 'app' ? 'app' : LIB_LAYERS[project.name];
}

function prefixed(where: string, breach: string | undefined): string[] {
  return breach ? [`${where}: ${breach}`] : [];
}
