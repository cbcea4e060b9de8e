import { makeHostileFiles } from '@aigolos/testing';
import { createCalls } from './hostile-calls.ts';

/**
 * A process that sends hostile files, one after another, over and over, from `begin` to `stop`; then it says how many were
 * answered. Of its own, so that what it does is not in the clock of who measures. Ends where one was answered as if it were our fault.
 */
const [url = '', key = ''] = process.argv.slice(2);
const { transcribe } = createCalls(url, key);
const files = await makeHostileFiles();
let place = 0;

async function run(signal: AbortSignal): Promise<number> {
  let answered = 0;
  for (; !signal.aborted; answered += 1, place += 1) {
    const file = files[place % files.length];
    if (!file) throw new Error('there is no file');
    const response = await transcribe(file);
    await response.arrayBuffer();
    if (response.status >= 500) throw new Error(`${file.name} was answered with ${response.status}`);
  }
  return answered;
}

let running = new AbortController();
process.on('message', (message) => {
  if (message === 'stop') return running.abort();
  running = new AbortController();
  void run(running.signal).then((answered) => process.send?.(answered));
});
process.send?.('ready');
