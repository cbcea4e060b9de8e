import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { preparePiperVoice } from './prepare-piper.ts';

const VOICE = {
  audio: { sample_rate: 22_050 },
  espeak: { voice: 'en-us' },
  language: { name_english: 'English' },
  num_speakers: 1,
  phoneme_id_map: { _: [0], ' ': [3], ə: [59, 60] },
};

describe('preparePiperVoice', () => {
  let folder: string;
  let onnx: string;
  let json: string;
  const target = () => join(folder, 'voice');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aigolos-piper-'));
    onnx = join(folder, 'source.onnx');
    json = join(folder, 'source.onnx.json');
    await writeFile(onnx, Buffer.from([0x08, 0x08]));
    await writeFile(json, JSON.stringify(VOICE));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('appends the metadata that sherpa-onnx asks for and leaves the source as it is', async () => {
    await preparePiperVoice(onnx, json, target());
    const model = await readFile(join(target(), 'model.onnx'));
    expect(model.subarray(0, 2)).toEqual(Buffer.from([0x08, 0x08]));
    expect(metadataIn(model.subarray(2))).toEqual({
      model_type: 'vits',
      comment: 'piper',
      language: 'English',
      voice: 'en-us',
      has_espeak: '1',
      n_speakers: '1',
      sample_rate: '22050',
      add_blank: '1',
    });
    expect(await readFile(onnx)).toEqual(Buffer.from([0x08, 0x08]));
  });

  test('writes one "symbol id" line each, also for the space', async () => {
    await preparePiperVoice(onnx, json, target());
    expect(await readFile(join(target(), 'tokens.txt'), 'utf8')).toBe('_ 0\n  3\nə 59\n');
    expect(JSON.parse(await readFile(join(target(), 'model.onnx.json'), 'utf8'))).toEqual(VOICE);
  });

  test('lengths over 127 bytes keep the file readable', async () => {
    const name = 'ü'.repeat(100);
    await writeFile(json, JSON.stringify({ ...VOICE, language: { name_english: name } }));
    await preparePiperVoice(onnx, json, target());
    const model = await readFile(join(target(), 'model.onnx'));
    expect(metadataIn(model.subarray(2))).toMatchObject({ language: name, add_blank: '1' });
  });

  test('refuses a json that is not of a Piper voice before it copies anything', async () => {
    await writeFile(json, '{"audio":{}}');
    await expect(preparePiperVoice(onnx, json, target())).rejects.toThrow(/sample_rate/);
    await expect(readFile(join(target(), 'model.onnx'))).rejects.toThrow('ENOENT');
  });
});

/** Reads back `metadata_props`, independently of the code under test: tag 0x72, then key (0x0a) and value (0x12). */
function metadataIn(bytes: Buffer): Record<string, string> {
  const entries: Record<string, string> = {};
  let at = 0;
  const text = (tag: number): string => {
    expect(bytes[at]).toBe(tag);
    const [length, begin] = lengthAt(bytes, at + 1);
    at = begin + length;
    return bytes.toString('utf8', begin, at);
  };
  while (at < bytes.length) {
    expect(bytes[at]).toBe(0x72);
    at = lengthAt(bytes, at + 1)[1];
    const key = text(0x0a);
    entries[key] = text(0x12);
  }
  return entries;
}

function lengthAt(bytes: Buffer, at: number): [length: number, next: number] {
  const low = bytes[at] ?? 0;
  return low < 0x80 ? [low, at + 1] : [(low & 0x7f) + 128 * (bytes[at + 1] ?? 0), at + 2];
}
