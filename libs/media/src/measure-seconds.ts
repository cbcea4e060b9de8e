import { execa } from 'execa';
import { lockedInput } from './ffmpeg.ts';

/** See `Media.measureSeconds`. */
export async function measureSeconds(
  ffmpegPath: string,
  path: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  signal.throwIfAborted();
  const output = '-map 0:a:0 -c copy -f null -progress pipe:1 -nostats -'.split(' ');
  const { stdout } = await execa(
    ffmpegPath,
    ['-nostdin', '-hide_banner', '-v', 'error', ...lockedInput(path), ...output],
    { reject: false, stdin: 'ignore', cancelSignal: signal, killSignal: 'SIGKILL' },
  );
  signal.throwIfAborted();
  const [last] = [...stdout.matchAll(/^out_time_us=(\d+)$/gm)].slice(-1);
  const seconds = Number(last?.[1]) / 1e6;
  return seconds > 0 ? seconds : undefined;
}
