import { openRelay } from './relay.ts';

/** A line to the database that can be cut in the moment between a request and its answer. */
export interface CutLine {
  port: number;
  /** The next request with this text in it arrives; its answer does not. */
  loseAnswerTo(text: string): void;
  close(): Promise<void>;
}

export async function openCutLine(targetPort: number): Promise<CutLine> {
  let fatal: Buffer | undefined;
  const relay = await openRelay(targetPort, (client, upstream) => {
    let answersAreLost = false;
    client.on('data', (chunk: Buffer) => {
      if (fatal && chunk.includes(fatal)) {
        fatal = undefined;
        answersAreLost = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (answersAreLost) client.destroy();
      else client.write(chunk);
    });
  });
  return {
    ...relay,
    loseAnswerTo(text) {
      fatal = Buffer.from(text);
    },
  };
}
