import {
  catalogueModel,
  importModel,
  listModels,
  megabytes,
  publishedBytes,
  removeModel,
  verifyModel,
} from '@aigolos/engines/catalogue';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { readConfig } from '../config.ts';
import { createReporter } from '../output/reporter.ts';
import { ensureModels, withRequirements } from '../prepare/models.ts';

/** `aigolos models list|pull|import|verify|rm`. */
export function addModelsCommand(program: Command): void {
  const models = program.command('models').description('look after the models on this machine');
  models
    .command('list')
    .description('the catalogue, and what of it is installed')
    .option('--json', 'for machines')
    .action(list);
  models
    .command('pull')
    .description('fetch models, with what they need')
    .argument('<ids...>')
    .action(async (ids: string[]) => ensureModels(withRequirements(ids), readConfig(), createReporter()));
  models
    .command('import')
    .description('install a model from a folder, without any network')
    .argument('<id>')
    .argument('<folder>')
    .action(importFrom);
  models.command('verify').description('read installed models to the last byte').argument('[ids...]').action(verify);
  models.command('rm').description('remove models').argument('<ids...>').action(remove);
}

async function list({ json }: { json?: true }): Promise<void> {
  const { paths } = readConfig();
  const rows = (await listModels(paths.models)).map((model) => {
    const bytes = model.installed?.bytes ?? publishedBytes(model);
    const { id, kind, description, license, isDefault = false } = model;
    return { id, kind, description, license, isDefault, bytes, installed: model.installed?.folder };
  });
  if (json) return console.log(JSON.stringify(rows, null, 2));
  for (const { id, kind, description, bytes, installed, isDefault } of rows) {
    const size = bytes === undefined ? '' : megabytes(bytes);
    const marks = `${installed ? '✓' : ' '} ${isDefault ? '*' : ' '}`;
    console.log(`${marks} ${id.padEnd(26)} ${kind.padEnd(5)} ${size.padStart(7)}  ${description}`);
  }
  console.log(`\n✓ installed in ${paths.models}   * default`);
}

async function importFrom(id: string, folder: string): Promise<void> {
  const { folder: installed } = await importModel(id, folder, { modelsDir: readConfig().paths.models });
  createReporter().ok(id, installed);
}

async function verify(ids: string[]): Promise<void> {
  const { models } = readConfig().paths;
  const installed = (await listModels(models)).filter((model) => model.installed).map(({ id }) => id);
  const reporter = createReporter();
  const problems: string[] = [];
  for (const id of ids.length > 0 ? ids : installed) {
    const found = await verifyModel(id, models);
    if (found.length === 0) reporter.ok(id, 'as it came');
    problems.push(...found);
  }
  if (problems.length > 0)
    throw new CliError(`${problems.join('\n')}\nRemove and fetch again what is wrong: models rm, models pull.`);
}

async function remove(ids: string[]): Promise<void> {
  const { models } = readConfig().paths;
  const reporter = createReporter();
  for (const id of ids) {
    const existed = await removeModel(catalogueModel(id).id, models);
    reporter.ok(id, existed ? 'removed' : 'was not installed');
  }
}
