import { type Client, createClient } from '@aigolos/sdk';
import { CliError } from '../cli-error.ts';
import { type CliConfig, readConfig } from '../config.ts';
import { readApiKey } from '../supervisor/access.ts';
import { gatewayUrl } from '../supervisor/apps.ts';
import { findRunningStack } from '../supervisor/stack.ts';
import { EXIT } from './exit-codes.ts';

export interface ServerOptions {
  url?: string;
  key?: string;
}

/**
 * A client of the gateway that was named, or of the local installation's. Its key goes nowhere else.
 * @throws CliError where no key is known.
 */
export async function connect(options: ServerOptions): Promise<Client> {
  const config = readConfig();
  const running = await findRunningStack(config);
  const local = running?.url ?? gatewayUrl(config);
  const baseUrl = options.url ?? config.env.AIGOLOS_URL ?? local;
  const apiKey = options.key ?? config.env.AIGOLOS_API_KEY ?? (await localKey(config, baseUrl, local));
  return createClient({ baseUrl, apiKey });
}

async function localKey({ paths }: CliConfig, baseUrl: string, local: string): Promise<string> {
  const isLocal = new URL(baseUrl).origin === new URL(local).origin;
  const key = isLocal ? await readApiKey(paths.home) : undefined;
  if (key !== undefined) return key;
  const missing = isLocal
    ? `no stack has been started with its data in ${paths.home}`
    : `${baseUrl} is not the local one`;
  throw new CliError(`Set AIGOLOS_API_KEY to a key of the gateway: ${missing}.`, EXIT.wrongUse);
}
