import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type ScannedSource, scanSource } from './scan-source.ts';

/** One app or lib as it lies on the disk. */
export interface Project {
  /** The folder's name: `worker-asr`. */
  name: string;
  kind: 'app' | 'lib';
  /** The folder from the root: `apps/worker-asr`. */
  dir: string;
  packageName: string;
  dependencies: string[];
  devDependencies: string[];
  hasReadme: boolean;
  sources: SourceFile[];
}

export interface SourceFile extends ScannedSource {
  /** From the root. */
  path: string;
}

interface PackageJson {
  name: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** Reads every project under apps/ and libs/ of a workspace. */
export function readWorkspace(root: string): Project[] {
  return (['app', 'lib'] as const).flatMap((kind) => {
    const parent = join(root, `${kind}s`);
    if (!existsSync(parent)) return [];
    return readdirSync(parent)
      .filter((name) => existsSync(join(parent, name, 'package.json')))
      .toSorted()
      .map((name) => readProject(root, kind, name));
  });
}

function readProject(root: string, kind: Project['kind'], name: string): Project {
  const dir = `${kind}s/${name}`;
  const manifest = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')) as PackageJson;
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = manifest;
  const files = globSync('**/*.{ts,mts,mjs,js}', {
    cwd: join(root, dir),
    exclude: (entry) => entry === 'node_modules' || entry === 'dist',
  });
  return {
    name,
    kind,
    dir,
    packageName: manifest.name,
    dependencies: Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
    devDependencies: Object.keys(devDependencies ?? {}),
    hasReadme: existsSync(join(root, dir, 'README.md')),
    sources: files.toSorted().map((file) => {
      const path = `${dir}/${file}`;
      return { path, ...scanSource(path, readFileSync(join(root, path), 'utf8')) };
    }),
  };
}

/** The file that a relative import means, from the root of the workspace. */
export function importedPath(file: SourceFile, specifier: string): string {
  return relative(resolve('/'), resolve('/', dirname(file.path), specifier));
}
