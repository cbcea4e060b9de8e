import { execa } from 'execa';
import { containerOf } from './containers.ts';
import { lockedInput, type Tools } from './ffmpeg.ts';

/** See `Media.measureSeconds`. */
export async function measureSeconds(tools: Tools, path: string, signal: AbortSignal): Promise<number | undefined> {
  signal.throwIfAborted();
  const demuxer = (await containerOf(path))?.demuxer;
  if (demuxer === undefined) return undefined;
  const output = '-map 0:a:0 -c copy -f null -progress pipe:1 -nostats -'.split(' ');
  const args = ['-nostdin', '-hide_banner', '-v', 'fatal', ...lockedInput(path, demuxer), ...output];
  const confined = await tools.confine(tools.ffmpegPath, args, { cpuSeconds: tools.limits.cpuSeconds });
  const { stdout } = await execa(confined.program, confined.args, {
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
    killSignal: 'SIGKILL',
  });
  signal.throwIfAborted();
  const [last] = [...stdout.matchAll(/^out_time_us=(\d+)$/gm)].slice(-1);
  const seconds = Number(last?.[1]) / 1e6;
  return seconds > 0 ? seconds : undefined;
}
