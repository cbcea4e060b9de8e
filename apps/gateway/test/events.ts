import { type JobStreamEvent, JobStreamEventSchema } from '@aigolos/contracts';

/** One server-sent event; absent fields are empty. */
export interface ReceivedEvent {
  id: string;
  name: string;
  data: string;
}

export interface SeenEvent {
  id: string;
  name: string;
  data: JobStreamEvent;
}

/** The events of any stream as they come, to its end. */
export async function* receivedIn(response: Response): AsyncGenerator<ReceivedEvent> {
  let text = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (text + piece).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
      const data = fields.get('data');
      if (data !== undefined) yield { id: fields.get('id') ?? '', name: fields.get('event') ?? '', data };
    }
  }
}

/** The events of a job's stream as they come, to its end. */
export async function* eventsIn(response: Response): AsyncGenerator<SeenEvent> {
  for await (const { data, ...fields } of receivedIn(response)) {
    yield { ...fields, data: JobStreamEventSchema.parse(JSON.parse(data)) };
  }
}

/** The text that a client has which reads these events one after another, after what it has read before. */
export function textIn(events: SeenEvent[], before = ''): string {
  let text = before;
  for (const { data } of events) if (data.type === 'job.delta') text = text.slice(0, data.offset) + data.delta;
  return text;
}
