import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { testConfig } from '@aigolos/testing';
import { startConsole } from './console.ts';
import { type Block, readBlocks } from './markdown.ts';
import type { Stack } from './stack.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
/** Where documents say that the gateway is. */
const DOCUMENTED_URL = 'http://127.0.0.1:8787';
/** `npm run` sees to the packages first, which must not change under running tests. */
const COMMAND_LINE = `node ${join(REPOSITORY, 'apps', 'cli', 'src', 'main.ts')}`;
/** Blocks that say what things look like, and are not to be run. */
const SHOWN = ['text', 'http'];

export interface DocumentOptions {
  stack: Stack;
  /** What stands in the document, and what the test has in its place, such as ports. */
  replace?: Record<string, string>;
  /** Files that the document takes as given: their names there, and where they are. */
  files?: Record<string, string>;
  /** Folders of programs that are found first. */
  programs?: string[];
  env?: Record<string, string>;
}

/**
 * Does what a document under docs/ says, from top to bottom, against a running stack, in a folder that looks like the project's.
 *
 * - ```console: lines that begin with `$ ` are typed into one shell, and must succeed; a line that ends with `\` goes on in
 *   the next. The others must appear in what is printed, in that order, by whatever runs; `…` stands for anything.
 * - ```js name or ```python name: a file of that name, which a command must use.
 * - ```json: must be JSON. Blocks of any other language are an error, as nobody would run them.
 *
 * @throws where something does not go as it is written, with the line of the document.
 */
export async function runDocument(name: string, options: DocumentOptions): Promise<void> {
  const { stack, replace = {}, files = {}, programs = [], env = {} } = options;
  const replacements = Object.entries({
    [DOCUMENTED_URL]: stack.url,
    'npm run aigolos --': COMMAND_LINE,
    'npm run -s aigolos --': COMMAND_LINE,
    ...replace,
  });
  const here = (text: string) => replacements.reduce((done, [from, to]) => done.replaceAll(from, to), text);
  const blocks = readBlocks(await readFile(join(REPOSITORY, 'docs', name), 'utf8'));
  assertAllCanBeRun(blocks, name);

  const folder = await mkdtemp(join(tmpdir(), 'aigolos-docs-'));
  await makeProjectFolder(folder, stack);
  for (const [name, path] of Object.entries(files)) await copyFile(path, join(folder, name));
  for (const { file, lines } of blocks) {
    if (file !== undefined) await writeFile(join(folder, file), here(`${lines.join('\n')}\n`));
  }
  const console = startConsole(folder, {
    PATH: [...programs, join(process.execPath, '..'), testConfig.PATH].join(delimiter),
    HOME: folder,
    AIGOLOS_HOME: join(folder, '.aigolos'),
    NO_COLOR: '1',
    ...env,
  });
  try {
    for (const { language, steps } of blocks) {
      if (language !== 'console') continue;
      for (const { command, expected, line } of steps()) {
        await console.run(here(command), expected.map(here)).catch((error: unknown) => {
          throw new Error(`docs/${name}:${line}: ${error instanceof Error ? error.message : String(error)}`);
        });
      }
    }
  } finally {
    await console.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function assertAllCanBeRun(blocks: Block[], name: string): void {
  const commands = blocks.filter(({ language }) => language === 'console').flatMap(({ lines }) => lines);
  for (const { language, file, lines, line } of blocks) {
    const wrong = (why: string) => new Error(`docs/${name}:${line}: ${why}`);
    if (file !== undefined && !commands.some((command) => command.includes(file)))
      throw wrong(`no command uses ${file}`);
    if (language === 'json') JSON.parse(lines.join('\n'));
    else if (file === undefined && language !== 'console' && !SHOWN.includes(language)) {
      throw wrong(`nobody runs a block of "${language}" that has no name`);
    }
  }
}

/** What commands look for in the project's folder: packages, and the state and key of a stack that runs, held by this process. */
async function makeProjectFolder(
  folder: string,
  { url, apiKey, adminKey, redis, mongoUrl, blobDir }: Stack,
): Promise<void> {
  const home = join(folder, '.aigolos');
  await mkdir(home);
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  const settings = { BLOB_DIR: blobDir };
  const state = { url, redisUrl: redis.url, mongoUrl, settings, startedAt: new Date().toISOString(), processes: [] };
  await writeFile(join(home, 'stack.json'), JSON.stringify(state));
  await writeFile(join(home, 'supervisor.json'), JSON.stringify({ pid: process.pid, marks: [] }));
  await writeFile(join(home, 'api-key'), apiKey);
  await writeFile(join(home, 'admin-key'), adminKey);
}
