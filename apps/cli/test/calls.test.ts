import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../src/stub.fake.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');

/** A gateway that promises every job. What one becomes stands in what was sent: `fail`, `hang`, or else it completes. */
let gateway: Server;
let url: string;
const cancelled: string[] = [];
const waitedFor = new Set<string>();
/** What was sent last, by where it was sent. */
const forms = new Map<string, string>();
const KINDS = ['speech', 'chat', 'turn'];
beforeAll(async () => {
  gateway = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
});
afterAll(() => {
  gateway.closeAllConnections();
  gateway.close();
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const json = (status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.headers.authorization !== 'Bearer sk-good') {
    return json(401, {
      error: { message: 'This API key is not known.', type: '', param: null, code: 'invalid_api_key' },
    });
  }
  if (request.method === 'POST' && !path.startsWith('/v1/jobs')) {
    const sent = await text(request);
    forms.set(path, sent);
    const [end = 'done'] = /fail|hang/.exec(sent) ?? [];
    const kind = KINDS.find((known) => path.includes(known)) ?? 'transcription';
    return json(202, view(`${kind}-${end}`, 'queued'));
  }
  const [, id = '', action] = /^\/v1\/jobs\/([\w-]+)(?:\/(\w+))?/.exec(path) ?? [];
  if (action === 'cancel') {
    cancelled.push(id);
    return json(200, view(id, 'cancelled'));
  }
  const wantsSound = id.startsWith('speech') || request.headers.accept === 'audio/*';
  if (action === 'result' && id.startsWith('turn') && !wantsSound) {
    const said = { transcript: { text: 'How are you?' }, answer: { text: 'Fine.' }, conversation: 'conv_1' };
    return json(200, said);
  }
  if (action === 'result' && wantsSound) return response.writeHead(200, { 'content-type': 'audio/wav' }).end('sound');
  if (action === 'result') return response.writeHead(200, { 'content-type': 'text/plain' }).end('hello');
  if (id.endsWith('hang')) {
    waitedFor.add(id);
    return gateway.emit('waited');
  }
  return json(200, view(id, id.endsWith('fail') ? 'failed' : 'completed'));
}

function view(id: string, status: string) {
  const error = status === 'failed' ? { code: 'ASR_ENGINE_FAILED', message: 'The recogniser stopped.' } : null;
  const kind = id.startsWith('turn') ? 'voice-turn' : id.split('-', 1)[0];
  return { id, kind, status, error, progress: 0, finished_at: status === 'queued' ? null : 1 };
}

async function cli() {
  const home = await temporaryFolder();
  const env = { AIGOLOS_HOME: home, AIGOLOS_URL: url, AIGOLOS_API_KEY: 'sk-good' };
  const run = (args: string[], given: Record<string, string | undefined> = {}, input = '') =>
    execa(process.execPath, [MAIN, ...args], { cwd: home, env: { ...env, ...given }, input, reject: false });
  return { home, run };
}

it('a command ends with 0, 1, 2 or 3: done, a job failed, wrong use, nobody there', async () => {
  const { home, run } = await cli();
  await writeFile(join(home, 'good.wav'), 'sound');
  await writeFile(join(home, 'bad.wav'), 'fail');
  const unused = createServer().listen(0, '127.0.0.1');
  await once(unused, 'listening');
  const nobody = `http://127.0.0.1:${(unused.address() as AddressInfo).port}`;
  unused.close();
  const [good, mixed, option, missing, wrongKey, foreign, away] = await Promise.all([
    run(['transcribe', 'good.wav']),
    run(['transcribe', 'bad.wav', 'good.wav']),
    run(['transcribe', 'good.wav', '--format', 'mp3']),
    run(['transcribe', 'none.wav']),
    run(['chat', 'hi', '--key', 'sk-bad']),
    run(['chat', 'hi'], { AIGOLOS_API_KEY: undefined }),
    run(['chat', 'hi', '--url', nobody]),
  ]);
  expect(good).toMatchObject({ exitCode: 0, stdout: 'hello', stderr: '' });
  expect(mixed).toMatchObject({ exitCode: 1, stdout: '==> good.wav <==\nhello' });
  expect(mixed.stderr).toBe('bad.wav: job transcription-fail is failed: The recogniser stopped.');
  expect(option).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Allowed choices are json') });
  expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('none.wav cannot be read') });
  expect(wrongKey).toMatchObject({ exitCode: 2, stderr: 'This API key is not known.' });
  expect(foreign).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Set AIGOLOS_API_KEY') });
  expect(away).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('does not answer') });
});

it('what is piped goes in and comes out; a file of sound is there when it is whole', async () => {
  const { home, run } = await cli();
  const [piped, spoken, saved, submitted] = await Promise.all([
    run(['transcribe', '-', '--json'], {}, 'sound'),
    run(['speak', '-'], {}, 'Good morning.'),
    run(['speak', '-o', 'morning.wav', '--json', 'Good', 'morning.']),
    run(['speak', 'Good morning.', '--async']),
  ]);
  expect(JSON.parse(piped.stdout)).toMatchObject({ file: '-', job: { status: 'completed' }, transcript: 'hello' });
  expect(spoken).toMatchObject({ exitCode: 0, stdout: 'sound' });
  expect(JSON.parse(saved.stdout)).toMatchObject({ file: 'morning.wav' });
  expect(await readFile(join(home, 'morning.wav'), 'utf8')).toBe('sound');
  expect(await readdir(home)).toEqual(['morning.wav']);
  expect(submitted.stdout).toBe('speech-done');
  expect(await run(['result', submitted.stdout])).toMatchObject({ exitCode: 0, stdout: 'sound' });
});

it('a voice turn tells what was heard and answered, saves its sound where it is wanted, and can be fetched later', async () => {
  const { home, run } = await cli();
  await writeFile(join(home, 'question.wav'), 'sound');
  await writeFile(join(home, 'bad.wav'), 'fail');
  const saved = await run([
    'turn',
    'question.wav',
    '--conversation',
    'new',
    '-o',
    'answer.wav',
    '--system',
    'be brief',
  ]);
  expect(saved).toMatchObject({
    exitCode: 0,
    stdout: 'heard   How are you?\nanswer  Fine.',
    stderr: '--conversation conv_1 goes on with it',
  });
  expect(await readFile(join(home, 'answer.wav'), 'utf8')).toBe('sound');
  const form = forms.get('/v1/voice/turns') ?? '';
  for (const [name, value] of Object.entries({
    conversation: 'new',
    instructions: 'be brief',
    response_format: 'wav',
  })) {
    expect(form).toContain(`name="${name}"\r\n\r\n${value}\r\n`);
  }
  const [piped, json, failed, submitted] = await Promise.all([
    run(['turn', '-', '-o', '-'], {}, 'sound'),
    run(['turn', 'question.wav', '--json']),
    run(['turn', 'bad.wav', '-o', 'none.wav']),
    run(['turn', 'question.wav', '--async']),
  ]);
  expect(piped).toMatchObject({ exitCode: 0, stdout: 'sound', stderr: 'heard   How are you?\nanswer  Fine.' });
  expect(JSON.parse(json.stdout)).toMatchObject({
    file: 'question.wav',
    job: { status: 'completed' },
    turn: { answer: { text: 'Fine.' } },
  });
  expect(failed).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('bad.wav: job turn-fail') });
  expect(await readdir(home)).not.toContain('none.wav');
  expect(submitted.stdout).toBe('turn-done');
  expect(await run(['result', submitted.stdout, '-o', 'later.wav'])).toMatchObject({
    exitCode: 0,
    stdout: saved.stdout,
  });
  expect(await readFile(join(home, 'later.wav'), 'utf8')).toBe('sound');
});

it('Ctrl-C cancels the jobs that the command has submitted, and leaves the one that it only fetches', async () => {
  const { run } = await cli();
  const untilWaited = async (id: string) => {
    while (!waitedFor.delete(id)) await once(gateway, 'waited');
  };
  const chatting = run(['chat', 'hang']);
  await untilWaited('chat-hang');
  chatting.kill('SIGINT');
  expect(await chatting).toMatchObject({ exitCode: 130, stdout: '', stderr: 'cancelled chat-hang' });
  expect(cancelled).toEqual(['chat-hang']);

  const fetching = run(['result', 'transcription-hang']);
  await untilWaited('transcription-hang');
  fetching.kill('SIGINT');
  expect((await fetching).exitCode).toBe(130);
  expect(cancelled).toEqual(['chat-hang']);
});
