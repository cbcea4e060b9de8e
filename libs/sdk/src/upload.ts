/** A file to send. A stream is sent once: where that fails, it is not tried again. */
export type UploadFile = Blob | ReadableStream<Uint8Array>;

/** How far an upload is. */
export interface UploadProgress {
  /** Bytes of the file that were handed to the network so far. */
  sentBytes: number;
  /** All of them; undefined of a stream. */
  totalBytes: number | undefined;
}

export interface FormUpload {
  fields: [name: string, value: string][];
  file: UploadFile;
  fileName: string;
  onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** A form with one file, as a body that can be made anew as often as its file can be read. */
export interface FormBody {
  contentType: string;
  /** Is read no further when the signal aborts. */
  create(over: AbortSignal): Promise<Pick<RequestInit, 'body' | 'duplex'>>;
  isRepeatable(): boolean;
  /** Why the file could not be read, where that is what ended a request. */
  failure(): Error | undefined;
  /** To be called when the answer is there: all was sent. */
  sent(): void;
}

const PIECE_BYTES = 64 * 1024;

/**
 * `multipart/form-data`, in memory that does not grow with the file: it is read as it is sent. Pages of a browser cannot
 * stream a request over HTTP/1.1; there the form is a Blob, and its progress is known at its beginning and end only.
 */
export function formBody(upload: FormUpload): FormBody {
  const { file, onProgress } = upload;
  const boundary = `aigolos-${randomHex(16)}`;
  const [head, tail] = frame(upload, boundary);
  const totalBytes = file instanceof Blob ? file.size : undefined;
  let begun = false;
  let sentBytes = 0;
  let failure: Error | undefined;
  const tell = (bytes: number) => {
    sentBytes = bytes;
    onProgress?.({ sentBytes, totalBytes });
  };
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of chunksOf(file instanceof Blob ? file.stream() : file)) {
        // What lies in memory comes in one piece, however long it is.
        for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES);
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    isRepeatable: () => file instanceof Blob || !begun,
    failure: () => failure,
    sent() {
      if (totalBytes !== undefined && sentBytes < totalBytes) tell(totalBytes);
    },
    async create(over) {
      begun = true;
      tell(0);
      if (!isPage()) return { body: toStream(whole(head, content(), tail, tell), over), duplex: 'half' };
      return { body: new Blob([head, file instanceof Blob ? file : await new Response(file).blob(), tail]) };
    },
  };
}

/** Random without `crypto.randomUUID`, which pages have only over HTTPS. */
export function randomHex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (value) => value.toString(16).padStart(2, '0')).join('');
}

function frame({ fields, fileName }: FormUpload, boundary: string): [head: string, tail: string] {
  const part = (name: string, more = '') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"${more}\r\n`;
  const values = fields.map(([name, value]) => `${part(name)}\r\n${value}\r\n`);
  const file = `${part('file', `; filename="${escaped(fileName)}"`)}Content-Type: application/octet-stream\r\n\r\n`;
  return [`${values.join('')}${file}`, `\r\n--${boundary}--\r\n`];
}

/** As the HTML standard has it for names in forms. */
function escaped(name: string): string {
  return name.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22');
}

async function* whole(
  head: string,
  content: AsyncGenerator<Uint8Array>,
  tail: string,
  tell: (sentBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode(head);
  let sentBytes = 0;
  for await (const chunk of content) {
    yield chunk;
    sentBytes += chunk.byteLength;
    tell(sentBytes);
  }
  yield encoder.encode(tail);
}

/** By its reader: not every browser can iterate over a stream. */
export async function* chunksOf<Chunk>(stream: ReadableStream<Chunk>): AsyncGenerator<Chunk> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Harmless after the end; before it the source is told that nobody reads on.
    await reader.cancel().catch(() => {});
  }
}

/** Errors when the request is over: Node's fetch would read the source to its end, for nobody. */
function toStream(chunks: AsyncGenerator<Uint8Array>, over: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      start(controller) {
        const end = () => {
          controller.error(over.reason);
          void chunks.return(undefined);
        };
        over.addEventListener('abort', end, { once: true });
      },
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (over.aborted) return;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => void chunks.return(undefined),
    },
    { highWaterMark: 0 },
  );
}

function isPage(): boolean {
  return 'document' in globalThis || 'WorkerGlobalScope' in globalThis;
}
