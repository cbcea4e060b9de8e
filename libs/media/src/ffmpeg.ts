import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { AIGolosError, ValidationError } from '@aigolos/contracts';

/**
 * Demuxers whose files hold all of their data themselves. Playlists and scripts (hls, dash, concat, sdp, image2 …) name
 * other files and hosts, so nothing that somebody sent may be read as one of them.
 */
const SELF_CONTAINED_DEMUXERS =
  'aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,gsm,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,ogg,' +
  'tak,tta,voc,w64,wav,wv';

/** How ffmpeg and ffprobe are given a file: as a local file and nothing else, whatever its name or content looks like. */
export function lockedInput(path: string): string[] {
  return ['-protocol_whitelist', 'file', '-format_whitelist', SELF_CONTAINED_DEMUXERS, '-i', `file:${path}`];
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
  timedOut: boolean;
  shortMessage?: string | undefined;
}

/** What a shell answers when it finds no program, or one that does not load. */
const UNRUNNABLE_EXIT_CODES = [126, 127];

/** Did the tool get to judge the file? It did not if it is missing, does not load, was killed or hung. */
export function ranToItsEnd(result: ToolResult): boolean {
  return result.exitCode !== undefined && !UNRUNNABLE_EXIT_CODES.includes(result.exitCode) && !result.timedOut;
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
