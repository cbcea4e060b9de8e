/**
 * What has to become of a file: a refusal that says why, or the transcript of a sound of a second or two. Of some, versions of
 * ffmpeg differ in how much they forgive: either end is right then.
 */
type Outcome = 'refused' | 'heard' | 'either';

/** A file that somebody made to break, fill, slow or fool what reads it. */
export interface HostileFile {
  /** What is wrong with it. */
  name: string;
  filename: string;
  content: Buffer;
  outcome: Outcome;
}

/** Makes files of one kind: what they are called, then each with its name, content and outcome. */
export function filesCalled(filename: string, files: [string, Buffer, Outcome][]): HostileFile[] {
  return files.map(([name, content, outcome]) => ({ name, filename, content, outcome }));
}

/** A copy with some bytes written over others. */
export function patched(bytes: Buffer, at: number, patch: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(patch, at);
  return copy;
}

/** A copy in which other bytes stand behind a mark, so many bytes after its beginning. */
export function patchedAfter(bytes: Buffer, mark: string, [offset, patch]: [number, Uint8Array]): Buffer {
  const at = bytes.indexOf(mark, 0, 'latin1');
  if (at === -1) throw new Error(`there is no ${mark} to patch`);
  return patched(bytes, at + offset, patch);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
