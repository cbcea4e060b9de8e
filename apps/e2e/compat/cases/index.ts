import type { RouteCases } from '../case.ts';
import { batches } from './batches.ts';
import { chat } from './chat.ts';
import { conversationItems } from './conversation-items.ts';
import { conversations } from './conversations.ts';
import { files } from './files.ts';
import { models } from './models.ts';
import { responses } from './responses.ts';
import { speech } from './speech.ts';
import { storedChats } from './stored-chats.ts';
import { storedResponses } from './stored-responses.ts';
import { transcriptions } from './transcriptions.ts';
import { translations } from './translations.ts';
import { uploads } from './uploads.ts';
import { usage } from './usage.ts';

export { jobHeaders } from './job-headers.ts';

/** Routes that make work: they take the headers of jobs too. */
export const WORK_ROUTES: RouteCases[] = [transcriptions, translations, speech, chat, responses];

/** Every route of OpenAI's that we have, in the order of the table. */
export const ROUTES: RouteCases[] = [
  ...WORK_ROUTES,
  ...storedChats,
  ...storedResponses,
  ...conversations,
  ...conversationItems,
  ...files,
  ...uploads,
  ...batches,
  ...models,
  ...usage,
];
