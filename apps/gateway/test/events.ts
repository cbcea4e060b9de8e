import { type JobStreamEvent, JobStreamEventSchema } from '@aigolos/contracts';

export interface SeenEvent {
  id: string;
  name: string;
  data: JobStreamEvent;
}

/** The events of a job's stream as they come, to its end. */
export async function* eventsIn(response: Response): AsyncGenerator<SeenEvent> {
  let text = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (text + piece).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
      const data = fields.get('data');
      if (data === undefined) continue;
      const parsed = JobStreamEventSchema.parse(JSON.parse(data));
      yield { id: fields.get('id') ?? '', name: fields.get('event') ?? '', data: parsed };
    }
  }
}

/** The text that a client has which reads these events one after another. */
export function textIn(events: SeenEvent[]): string {
  let text = '';
  for (const { data } of events) if (data.type === 'job.delta') text = text.slice(0, data.offset) + data.delta;
  return text;
}
