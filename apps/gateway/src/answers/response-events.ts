import type { ItemView, ResponseEvent, ResponseView } from '@aigolos/contracts';
import type { JobRecord } from '@aigolos/db';
import { outputId, toResponse, toResponseAtStart } from './response-view.ts';
import { createTextPieces } from './text-pieces.ts';

/**
 * A response's events in their order. They follow from its record and its text alone: read again, each has the same number,
 * save the last of one that ended without an answer. What that one said is not kept, so its end has the next number after
 * what its reader was told.
 */
export interface ResponseEvents {
  begun(): ResponseEvent[];
  /** More of the text, however it is cut. */
  said(text: string): ResponseEvent[];
  ended(job: JobRecord<'response'>): ResponseEvent[];
  /** The text that was told is not the one that the response has. */
  diverged(message: string): ResponseEvent[];
}

/** @param startingAfter the number of the last event that the reader has; -1 where there is none. */
export function createResponseEvents(job: JobRecord<'response'>, startingAfter: number): ResponseEvents {
  let next = 0;
  let isRunning = false;
  let isSpeaking = false;
  const pieces = createTextPieces();
  const event = (type: string, fields: object): ResponseEvent => ({ type, sequence_number: next++, ...fields });
  const text = { item_id: outputId(job, 0), output_index: 0, content_index: 0 };
  const part = (said: string) => ({ type: 'output_text', text: said, annotations: [], logprobs: [] });
  const delta = (piece: string) => event('response.output_text.delta', { ...text, delta: piece, logprobs: [] });

  function running(): ResponseEvent[] {
    if (isRunning) return [];
    isRunning = true;
    return [event('response.in_progress', { response: toResponseAtStart(job, 'in_progress') })];
  }

  function speaking(): ResponseEvent[] {
    if (isSpeaking) return [];
    isSpeaking = true;
    const item = { id: text.item_id, type: 'message', status: 'in_progress', role: 'assistant', content: [] };
    return [
      event('response.output_item.added', { output_index: 0, item }),
      event('response.content_part.added', { ...text, part: part('') }),
    ];
  }

  function spoken(said: string, item: ItemView): ResponseEvent[] {
    return [
      ...speaking(),
      ...pieces.end().map(delta),
      event('response.output_text.done', { ...text, text: said, logprobs: [] }),
      event('response.content_part.done', { ...text, part: part(said) }),
      event('response.output_item.done', { output_index: 0, item }),
    ];
  }

  return {
    begun() {
      const { background } = job.task;
      const response = toResponseAtStart(job, background ? 'queued' : 'in_progress');
      const created = event('response.created', { response });
      return background ? [created, event('response.queued', { response })] : [created];
    },
    said(more) {
      return [...running(), ...speaking(), ...pieces.push(more).map(delta)];
    },
    ended(end) {
      const began = end.startedAt ? running() : [];
      const response = toResponse(end);
      if (!end.result) {
        // One that was never begun said nothing.
        if (end.fence > 0) next = Math.max(next, startingAfter + 1);
        return [...began, event('response.failed', { response })];
      }
      const items = response.output.flatMap((item, index) =>
        item.type === 'function_call' ? called(item, index) : spoken(end.result?.text ?? '', item),
      );
      return [...began, ...items, event(lastEventOf(response), { response })];
    },
    diverged(message) {
      return [event('error', { code: 'server_error', message, param: null })];
    },
  };

  /** Calls are known when they are whole. */
  function called(item: ItemView & { type: 'function_call' }, index: number): ResponseEvent[] {
    const at = { item_id: item.id, output_index: index };
    const { arguments: given, name } = item;
    return [
      event('response.output_item.added', {
        output_index: index,
        item: { ...item, arguments: '', status: 'in_progress' },
      }),
      event('response.function_call_arguments.delta', { ...at, delta: given }),
      event('response.function_call_arguments.done', { ...at, name, arguments: given }),
      event('response.output_item.done', { output_index: index, item }),
    ];
  }
}

function lastEventOf({ status }: ResponseView): string {
  return status === 'incomplete' ? 'response.incomplete' : 'response.completed';
}
