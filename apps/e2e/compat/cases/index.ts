import type { RouteCases } from '../case.ts';
import { chat } from './chat.ts';
import { conversations } from './conversations.ts';
import { models } from './models.ts';
import { speech } from './speech.ts';
import { transcriptions } from './transcriptions.ts';

export { jobHeaders } from './job-headers.ts';

/** Routes that make work: they take the headers of jobs too. */
export const WORK_ROUTES: RouteCases[] = [transcriptions, speech, chat];

/** Every route of OpenAI's that we have, in the order of the table. */
export const ROUTES: RouteCases[] = [...WORK_ROUTES, ...models, ...conversations];
