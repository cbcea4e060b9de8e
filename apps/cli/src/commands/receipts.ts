import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Jwks, JwksSchema } from '@aigolos/contracts';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { withInstallation } from '../open-installation.ts';

/** `aigolos receipts verify`. */
export function addReceiptsCommand(program: Command): void {
  const receipts = program.command('receipts').description('look into the receipts of erasures');
  receipts
    .command('verify')
    .description('say what a receipt says, if this installation signed it and nobody changed it')
    .argument('<file>', 'the receipt; - for the standard input')
    .option('--keys <file>', 'a copy of /.well-known/jwks.json, to verify without the installation')
    .action(verify);
}

async function verify(file: string, { keys }: { keys?: string }): Promise<void> {
  const { verifyReceipt } = await import('@aigolos/lifecycle');
  const receipt = file === '-' ? await text(process.stdin) : await read(file);
  console.log(JSON.stringify(await verifyReceipt(receipt, keys ? await readKeys(keys) : await ownKeys()), null, 2));
}

async function ownKeys(): Promise<Jwks> {
  const { receiptKeys } = await import('@aigolos/lifecycle');
  return withInstallation(({ db }) => receiptKeys(db));
}

async function readKeys(file: string): Promise<Jwks> {
  const content = await read(file);
  try {
    return JwksSchema.parse(JSON.parse(content));
  } catch {
    throw new CliError(`${file} holds no keys as /.well-known/jwks.json has them.`);
  }
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => {
    throw new CliError(`The file ${file} cannot be read.`);
  });
}
