import { existsSync } from 'node:fs';
import { testConfig } from './config.ts';

/** The testcontainers library where a container engine answers, else nothing. */
export async function findContainerEngine(): Promise<typeof import('testcontainers') | undefined> {
  if (!testConfig.DOCKER_HOST && !existsSync('/var/run/docker.sock')) return undefined;
  const library = await import('testcontainers');
  return library.getContainerRuntimeClient().then(
    () => library,
    () => undefined,
  );
}
