/**
 * The way in: `node tools/setup/run.mjs <command> [arguments]`. Runs on any Node since 20 and needs no package, because it
 * is what installs them. It sees to the packages and to Node 24, then hands over to the command line (apps/cli).
 */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages, packagesAreCurrent } from './packages.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OLDEST_NODE_TO_START = 20;
const NODE_TO_RUN = 24;
const PARENT_POLL_MS = 300;

class SetupError extends Error {}

function majorOf(version) {
  return Number(/^v?(\d+)/.exec(version)?.[1] ?? 0);
}

function assertNodeCanStart() {
  if (majorOf(process.version) >= OLDEST_NODE_TO_START) return;
  throw new SetupError(
    `AIGolos needs Node ${OLDEST_NODE_TO_START} or newer to start, and this is ${process.version}: install the current one from https://nodejs.org and run the command again.`,
  );
}

/** The lock file brings Node 24 for Linux as a package; elsewhere the running Node must do. */
function findNode() {
  const bundled = join(ROOT, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  const answer = process.platform === 'linux' ? spawnSync(bundled, ['--version'], { encoding: 'utf8' }) : undefined;
  if (answer?.status === 0 && majorOf(answer.stdout) >= NODE_TO_RUN) return bundled;
  if (majorOf(process.version) >= NODE_TO_RUN) return process.execPath;
  throw new SetupError(
    `AIGolos runs on Node ${NODE_TO_RUN}, which no package brings for ${process.platform} on ${process.arch}, and this is ${process.version}: install Node ${NODE_TO_RUN} from https://nodejs.org and run the command again.`,
  );
}

/** npm passes a signal to the shell between it and this process, which keeps it to itself: then all that shows is its end. */
function whenParentEnds(act) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, PARENT_POLL_MS);
  timer.unref();
}

/** Runs the command line with Node 24 first in PATH; it ends as its child ends. */
function handOver(node, args) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` };
  // Node's own fetch asks a proxy only when it is told to.
  if (env.HTTPS_PROXY || env.https_proxy || env.HTTP_PROXY || env.http_proxy) env.NODE_USE_ENV_PROXY ??= '1';
  // Six processes of the same code start at once: compiled code that is kept saves each of them half a second.
  if (args[0] !== 'test') env.NODE_COMPILE_CACHE ??= join(ROOT, 'node_modules', '.cache', 'compiled');
  // By the channel the child learns when this process is killed.
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc'];
  const child = spawn(node, [join(ROOT, 'apps', 'cli', 'src', 'main.ts'), ...args], { env, stdio });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event) whenParentEnds(() => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

try {
  assertNodeCanStart();
  if (!packagesAreCurrent(ROOT)) await installPackages(ROOT);
  handOver(findNode(), process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError || error.name === 'PackagesError')) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
