import type { ChatCompletionChunk } from '@aigolos/contracts';
import type { ChatParams } from '@aigolos/sdk';
import { readWords } from './read-input.ts';
import { type CallOptions, inSession, type Session } from './session.ts';
import { tellConversation } from './tell-conversation.ts';
import { print } from './write-output.ts';

export interface ChatOptions extends CallOptions {
  model: string;
  system?: string;
  conversation?: string;
  stream?: true;
}

/** Has a message answered. */
export async function chat(words: string[], options: ChatOptions): Promise<void> {
  const { model, system, conversation } = options;
  const content = await readWords(words);
  const params: ChatParams = {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content },
    ],
    ...(conversation !== undefined && { conversation }),
  };
  await inSession(options, (session) => (options.stream ? streamed : whole)(session, params, options));
}

async function whole({ client, signal, track, untilEnded }: Session, params: ChatParams, options: ChatOptions) {
  const handle = await client.chat.submit(params, { signal });
  if (options.async) return print(options.json ? JSON.stringify(handle.submitted) : handle.id);
  track(handle.id);
  await untilEnded(handle, handle.id);
  const answer = await handle.result({ signal });
  if (options.json) return print(JSON.stringify(answer));
  print(answer.choices[0]?.message.content ?? '');
  tellConversation(answer.conversation?.id, options);
}

async function streamed({ client, signal, track }: Session, params: ChatParams, options: ChatOptions) {
  const stream = await client.chat.stream(params, { signal });
  track(stream.jobId);
  let conversation: ChatCompletionChunk['conversation'];
  for await (const chunk of stream) {
    conversation = chunk.conversation ?? conversation;
    if (options.json) print(JSON.stringify(chunk));
    else process.stdout.write(chunk.choices[0]?.delta.content ?? '');
  }
  if (options.json) return;
  print('');
  tellConversation(conversation?.id, options);
}
