import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './dockerfile.ts';

export interface ComposeFile {
  services: Record<string, ComposeService>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, unknown>;
}

/** The fields that the checks read; the schema looks at all of them. */
export interface ComposeService {
  image?: string;
  build?: { context: string; target: string };
  command?: string[];
  container_name?: string;
  environment?: Record<string, string | number>;
  ports?: string[];
  volumes?: string[];
  networks?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: unknown;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  user?: string;
}

/**
 * The project's docker-compose.yml as Compose sees it under these settings: merged, with `${NAME:-default}` replaced.
 * @throws Error for a variable without a default, which would make `docker compose up` depend on a `.env`.
 */
export function readComposeFile(settings: Record<string, string> = {}): ComposeFile {
  const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  const replaced = text.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_all, name: string, fallback?: string) => {
    const value = settings[name] ?? fallback;
    if (value === undefined) throw new Error(`docker-compose.yml: ${name} has no default`);
    return value;
  });
  return parse(replaced, { merge: true }) as ComposeFile;
}

/** The services that run a target of our Dockerfile. */
export function ownServices(file: ComposeFile): [name: string, service: ComposeService & { target: string }][] {
  return Object.entries(file.services).flatMap(([name, service]) =>
    service.build ? [[name, { ...service, target: service.build.target }]] : [],
  );
}
