import { TEST_PROJECTS, TEST_SOURCES } from './rules.ts';
import type { SourceImport } from './scan-source.ts';
import type { Project, SourceFile } from './workspace.ts';

/** One import of a package, with all that the rules ask about it. */
export interface PackageImport {
  project: Project;
  isTest: boolean;
  packageName: string;
  subpath: string;
  where: string;
}

/** The imports of a project that name a package, ours or another's; relative and built-in ones are none. */
export function packageImports(project: Project): PackageImport[] {
  return project.sources.flatMap((file) => file.imports.flatMap((each) => packageImport(project, file, each)));
}

function packageImport(project: Project, file: SourceFile, { specifier, line }: SourceImport): PackageImport[] {
  if (/^(\.|#|node:|file:|data:)/.test(specifier)) return [];
  const parts = specifier.split('/');
  const length = specifier.startsWith('@') ? 2 : 1;
  const isTest = isTestProject(project) || TEST_SOURCES.some((pattern) => pattern.test(file.path));
  const [packageName, subpath] = [parts.slice(0, length).join('/'), parts.slice(length).join('/')];
  return [{ project, isTest, packageName, subpath, where: `${file.path}:${line}` }];
}

/** Is the whole project nothing but tests? */
export function isTestProject(project: Project): boolean {
  return TEST_PROJECTS.includes(project.name);
}
