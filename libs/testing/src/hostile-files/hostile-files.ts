import { boxes } from './boxes.ts';
import { framed } from './framed.ts';
import type { HostileFile } from './hostile-file.ts';
import { others } from './others.ts';
import { makeSounds } from './sounds.ts';
import { waves } from './waves.ts';

export type { HostileFile } from './hostile-file.ts';

/**
 * The corpus: lying headers, bombs, what is cut at each stage, what is two things at once, what names other files. The same
 * bytes every time, but for what another version of ffmpeg encodes otherwise. Outcomes are those where audio may last ten minutes.
 */
export async function makeHostileFiles(): Promise<HostileFile[]> {
  const sounds = await makeSounds();
  return [...waves(), ...framed(sounds), ...boxes(sounds), ...others()];
}
