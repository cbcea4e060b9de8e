import { AUDIO_CLIPS, audioClip } from '@aigolos/testing';
import { execa } from 'execa';
import { ASR_SAMPLE_RATE_HZ } from '../src/asr/asr-engine.ts';
import type { Speech } from '../src/conformance/asr-engine.ts';

/** Clips whose words even the smallest model understands. */
export async function realSpeech(): Promise<[Speech, Speech]> {
  return [await speechOf('dog'), await speechOf('kennedy')];
}

async function speechOf(name: 'dog' | 'kennedy'): Promise<Speech> {
  const output = `-f f32le -ac 1 -ar ${ASR_SAMPLE_RATE_HZ} pipe:1`.split(' ');
  const { stdout } = await execa('ffmpeg', ['-nostdin', '-v', 'error', '-i', audioClip(name), ...output], {
    encoding: 'buffer',
  });
  return { samples: new Float32Array(new Uint8Array(stdout).buffer), text: AUDIO_CLIPS[name].text };
}
