import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

class PackagesError extends Error {
  name = 'PackagesError';
}

/**
 * Are the packages of the lock file installed? Compares it with the list that npm keeps of what it installed, which npm
 * writes last, so an installation that was cut off does not count.
 */
export function packagesAreCurrent(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.link)
    .every(([path, entry]) => {
      const found = installed[path];
      // An optional package is not there where it is for another platform.
      return found ? found.version === entry.version : entry.optional === true;
    });
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** `npm ci`, quiet unless it fails. Install scripts do not run: nothing here needs them. */
export async function installPackages(root) {
  console.log('Installing packages (npm ci): a minute or less …');
  const startedAt = Date.now();
  const { code, output } = await runNpm(
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    root,
  );
  if (code !== 0) throw new PackagesError(`${output.trimEnd()}\n\n${explain(output)}`);
  console.log(`Packages installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`);
}

function explain(output) {
  if (/ENOSPC/.test(output)) return 'The packages do not fit on this disk: free about 1 GB and run the command again.';
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH/.test(output)) {
    return 'The package registry cannot be reached: connect to the internet, or point npm to a mirror (npm config set registry <address>), and run the command again.';
  }
  return 'npm ci failed; what it said stands above.';
}

function runNpm(args, root) {
  // Where npm started this script it says which npm it is.
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const child = spawn(command, [...first, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 1, output: `npm cannot be started: ${error.message}` }));
    child.on('close', (code) => resolve({ code, output }));
  });
}
