import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '..', '..');

interface Component {
  group?: string;
  name: string;
  version?: string;
  licenses?: unknown[];
  components?: Component[];
}

interface LockedPackage {
  name?: string;
  version?: string;
  dev?: boolean;
  link?: boolean;
  optional?: boolean;
  devOptional?: boolean;
}

test('the bill of materials is valid CycloneDX and names every package that runs, most with their licence', async () => {
  const { stdout } = await execa('npm', ['run', '--silent', 'sbom'], { cwd: REPOSITORY });
  const invalid = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(stdout);
  expect(invalid).toBeNull();

  const listed = flat((JSON.parse(stdout) as { components: Component[] }).components);
  const names = new Set(listed.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`));
  const { packages } = JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const needed = Object.entries(packages).flatMap(([path, { name, version, dev, link, optional, devOptional }]) => {
    if (!path.startsWith('node_modules/') || dev || link || optional || devOptional) return [];
    return [`${name ?? path.split('node_modules/').at(-1)}@${version}`];
  });
  expect(needed.length).toBeGreaterThan(200);
  expect(needed.filter((name) => !names.has(name))).toEqual([]);
  expect(listed.filter(({ licenses }) => licenses).length).toBeGreaterThan(listed.length * 0.9);
});

function flat(components: Component[]): Component[] {
  return components.flatMap((component) => [component, ...flat(component.components ?? [])]);
}
