import { join } from 'node:path';

/** Real speech with what it says; origins in fixtures/audio/README.md. */
export const AUDIO_CLIPS = {
  kennedy: {
    file: 'jfk.flac',
    seconds: 11,
    text: 'And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.',
  },
  count: { file: 'english.wav', seconds: 2.7, text: 'one two three' },
  dog: { file: 'spk1_snt1.wav', seconds: 2.9, text: 'the child almost hurt the small dog' },
  figures: { file: 'spk1_snt2.wav', seconds: 3.2, text: 'drop the two when you add the figures' },
  air: { file: 'spk1_snt3.wav', seconds: 2.7, text: 'at that high level the air is pure' },
  stripe: { file: 'spk1_snt4.wav', seconds: 2.8, text: 'a thin stripe runs down the middle' },
  sunday: { file: 'spk1_snt5.wav', seconds: 2.6, text: 'Sunday is the best part of the week' },
  barking: { file: 'dog.wav', seconds: 5, text: undefined },
} as const;

/** The path of a clip. */
export function audioClip(name: keyof typeof AUDIO_CLIPS): string {
  return join(import.meta.dirname, '..', 'fixtures', 'audio', AUDIO_CLIPS[name].file);
}
