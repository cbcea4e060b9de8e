import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { AIGolosError, ValidationError } from '@aigolos/contracts';
import type { Confine, Confined, ToolLimits } from './confinement.ts';

/** The programs, and how they are kept within what a file may cost. */
export interface Tools {
  ffmpegPath: string;
  ffprobePath: string;
  confine: Confine;
  limits: ToolLimits;
}

/** A picture of 8K is as large; a cover of a few bytes can claim to be of gigabytes. */
const MOST_PIXELS = 36_000_000;
/** One allocation; an index of two hours takes a twentieth. */
const MOST_ALLOCATED_BYTES = 256 * 1024 ** 2;

/**
 * How ffmpeg and ffprobe are given a file: as a local file and nothing else, whatever its name looks like, and as what it
 * is by its content, so that no other demuxer is tried.
 */
export function lockedInput(path: string, demuxer: string): string[] {
  const limits = ['-max_alloc', String(MOST_ALLOCATED_BYTES), '-max_pixels', String(MOST_PIXELS), '-threads', '1'];
  return [...limits, '-protocol_whitelist', 'file', '-format_whitelist', demuxer, '-f', demuxer, '-i', `file:${path}`];
}

/** @throws ValidationError `AUDIO_EMPTY` for a file without bytes; the system's own error where there is no file. */
export async function assertHasBytes(path: string): Promise<void> {
  const { size } = await stat(path);
  if (size === 0) {
    throw new ValidationError('The file is empty (0 bytes).', { code: 'AUDIO_EMPTY', param: 'file' });
  }
}

interface ToolResult {
  exitCode?: number | undefined;
  signal?: string | undefined;
  timedOut: boolean;
  isMaxBuffer: boolean;
  shortMessage?: string | undefined;
}

/** What a shell answers when it finds no program, or one that does not load. */
const UNRUNNABLE_EXIT_CODES = [126, 127];
/** A program ends by these of its own doing, or when its time is up. */
const SIGNALS_OF_THE_FILE = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGXCPU', 'SIGXFSZ'];
/** How ffmpeg ends when it is told to, as it is when its time is up: between two packets, and in the middle of one. */
const TOLD_TO_END_EXIT_CODES = [255, 123];

/**
 * Did the tool get to judge the file? It did not if it is missing, does not load, was killed or hung.
 * @throws ValidationError `AUDIO_NOT_RECOGNISED` where the file broke it, or took more than a file may.
 */
export function ranToItsEnd(result: ToolResult, { isLimited }: Pick<Confined, 'isLimited'>, stderr: string): boolean {
  const { exitCode, signal, timedOut, isMaxBuffer } = result;
  const wasToldToEnd = TOLD_TO_END_EXIT_CODES.includes(exitCode ?? 0);
  if (SIGNALS_OF_THE_FILE.includes(signal ?? '') || (wasToldToEnd && isLimited) || isMaxBuffer) {
    throw new ValidationError(
      'The file cannot be read as audio: it breaks its decoder, or takes more time or memory than a file may. ' +
        'It is damaged, or was made to do so.',
      { code: 'AUDIO_NOT_RECOGNISED', param: 'file', cause: new Error(`${result.shortMessage} ${stderr}`.trim()) },
    );
  }
  return exitCode !== undefined && !wasToldToEnd && !UNRUNNABLE_EXIT_CODES.includes(exitCode) && !timedOut;
}

export function toolFailed(tool: string, result: ToolResult, stderr: string): AIGolosError {
  return new AIGolosError(`The audio tool ${tool} could not do its work.`, {
    code: 'MEDIA_TOOL_FAILED',
    retryable: true,
    cause: new Error(`${result.shortMessage ?? tool} ${stderr}`.trim()),
  });
}

const TAIL_CHARACTERS = 2_000;

/** Drains a tool's error output and keeps the end of it, which tells why it failed. */
export function tailOf(stream: Readable): () => string {
  let tail = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    tail = (tail + text).slice(-TAIL_CHARACTERS);
  });
  return () => tail;
}
