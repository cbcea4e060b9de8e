import getPort from 'get-port';
import { describe, expect, it } from 'vitest';
import { temporaryConfig, temporaryFolder, writeProgram } from '../stub.fake.ts';
import { claimHome, writeStackState } from '../supervisor/stack-state.ts';
import type { Finding } from './finding.ts';
import { checkMachine } from './machine.ts';
import { checkStack } from './stack.ts';

const STATE = { url: 'http://here', redisUrl: '', mongoUrl: '', settings: {}, startedAt: new Date(0).toISOString() };

function find(findings: Finding[], name: string): Finding | undefined {
  return findings.find((finding) => finding.name === name);
}

describe('checkMachine', () => {
  it('names what is missing, and what to do about it', async () => {
    const bin = await temporaryFolder();
    await writeProgram(bin, 'brew', '');
    const findings = await checkMachine(await temporaryConfig({ PATH: bin, ASR_ENGINE: 'test' }));
    expect(find(findings, 'Redis')).toMatchObject({ state: 'bad', remedy: 'install it with: brew install redis' });
    expect(find(findings, 'espeak-ng')).toMatchObject({ state: 'warning', remedy: expect.stringContaining('brew') });
    expect(find(findings, 'MongoDB')).toMatchObject({ state: 'bad', remedy: 'npm start brings it' });
    expect(find(findings, 'smollm2-135m-instruct')).toMatchObject({ state: 'bad', detail: 'missing' });
  });

  it('tells the version of what is there', async () => {
    const bin = await temporaryFolder();
    const redis = await writeProgram(bin, 'redis-server', 'echo "Redis server v=7.0.15 sha=0"');
    const findings = await checkMachine(await temporaryConfig({ PATH: bin, ASR_ENGINE: 'test' }));
    expect(find(findings, 'Redis')).toEqual({ name: 'Redis', state: 'ok', detail: `7.0.15 (${redis})` });
  });

  it('asks nothing of a machine whose engines are elsewhere', async () => {
    const elsewhere = 'openai-compatible';
    const env = { ASR_ENGINE: elsewhere, LLM_ENGINE: elsewhere, TTS_ENGINE: elsewhere };
    const names = (await checkMachine(await temporaryConfig(env))).map(({ name }) => name);
    expect(names).not.toContain('Python');
    expect(names).not.toContain('whisper-base');
  });
});

describe('checkStack', () => {
  it('says that no stack runs, and that its port is free', async () => {
    const config = await temporaryConfig({ PORT: String(await getPort()) });
    expect(await checkStack(config)).toMatchObject([{ name: 'port', state: 'ok' }]);
  });

  it('finds a process of the running stack that has ended', async () => {
    const config = await temporaryConfig();
    await claimHome(config.paths.home, [process.argv[1] ?? '']);
    const lives = { name: 'redis', identity: { pid: process.pid, marks: [process.argv[1] ?? ''] } };
    const ended = { name: 'gateway', identity: { pid: process.pid, marks: ['apps/gateway/src/main.ts'] } };
    writeStackState(config.paths.home, { ...STATE, processes: [lives, ended] });
    const findings = await checkStack(config);
    expect(find(findings, 'stack')).toMatchObject({ state: 'ok', detail: expect.stringContaining('http://here') });
    expect(find(findings, 'redis')).toMatchObject({ state: 'ok' });
    expect(find(findings, 'gateway')).toMatchObject({ state: 'bad', remedy: expect.stringContaining('aigolos.log') });
  });
});
