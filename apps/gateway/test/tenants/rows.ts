import type { Scope } from '@aigolos/contracts';
import { CHAT } from '../answers.ts';
import { type Belonging, USED_AT } from './belongings.ts';

/** Where an id stands in a request, such as `path.id`, `query.after` or `body.scope.id`, and what it is an id of. */
export interface IdPlace {
  at: `${'path' | 'query' | 'body'}.${string}`;
  of: Belonging;
  /** What a missing one is answered with, and another account's alike. */
  missing?: number;
  /** What of the body is otherwise than in the row's. */
  body?: Record<string, unknown>;
  /** An operator gets to another account's. */
  operator?: true;
}

/** What a route needs, and where it takes ids. */
export interface Row {
  scope: Scope | 'any' | 'public';
  /** For operators alone. */
  admin?: true;
  /** A body that is taken, apart from its ids. */
  body?: Record<string, unknown>;
  /** What stands in the query, apart from its ids. */
  query?: Record<string, string>;
  /** The field of a form that a file is sent in; `body` has its other fields. */
  file?: string;
  ids?: IdPlace[];
  /** Its end is waited for: what goes on after an answer would be taken for what a later request asks. */
  waits?: true;
  /** Ids in it that are everybody's. */
  shared?: string[];
}

const id = (of: Belonging, more: Partial<IdPlace> = {}): IdPlace[] => [{ at: 'path.id', of, ...more }];
const after = (of: Belonging): IdPlace[] => [{ at: 'query.after', of }];
const chat: Row = { scope: 'chat', ids: id('chat') };
const response: Row = { scope: 'responses', ids: id('response') };
const job = (scope: Scope): Row => ({ scope, ids: id('chat') });
const conversation: Row = { scope: 'conversations', ids: id('conversation') };
const ofItem: IdPlace[] = [...id('conversation'), { at: 'path.item', of: 'item' }];
const webhook: Row = { scope: 'webhooks', ids: id('endpoint') };
const audio = { scope: 'transcriptions', body: { model: 'whisper-1' }, file: 'file' } as const;
const message = { type: 'message', role: 'user', content: 'hi' };
const operator = { operator: true } as const;
const usage: Row = {
  scope: 'usage',
  query: { start_time: String(USED_AT), end_time: String(USED_AT + 1) },
  ids: [
    { at: 'query.user_ids', of: 'meteredAccount', missing: 200, operator: true },
    { at: 'query.api_key_ids', of: 'meteredKey', missing: 200, operator: true },
  ],
  // There are none.
  shared: ['query.project_ids'],
};

/** Every route of the API. One that is missing here fails the test. */
export const ROWS: Record<string, Row> = {
  'POST /v1/audio/transcriptions': audio,
  'POST /v1/audio/translations': audio,
  'POST /v1/audio/speech': { scope: 'speech', body: { model: 'tts-1', voice: 'alloy', input: 'hi' } },
  'POST /v1/chat/completions': { scope: 'chat', body: CHAT, ids: [{ at: 'body.conversation', of: 'conversation' }] },
  'GET /v1/chat/completions': { scope: 'chat', ids: after('chat') },
  'GET /v1/chat/completions/{id}': chat,
  'POST /v1/chat/completions/{id}': { ...chat, body: { metadata: {} } },
  'DELETE /v1/chat/completions/{id}': chat,
  'GET /v1/chat/completions/{id}/messages': { scope: 'chat', ids: [...id('chat'), ...after('message')] },
  'POST /v1/responses': {
    scope: 'responses',
    body: { model: 'gpt-4o', input: 'hi' },
    ids: [
      { at: 'body.conversation', of: 'conversation' },
      { at: 'body.previous_response_id', of: 'response' },
    ],
  },
  'GET /v1/responses/{id}': response,
  'DELETE /v1/responses/{id}': response,
  'POST /v1/responses/{id}/cancel': response,
  'GET /v1/responses/{id}/input_items': { scope: 'responses', ids: [...id('response'), ...after('inputItem')] },
  'POST /v1/files': { scope: 'files', body: { purpose: 'user_data' }, file: 'file' },
  'GET /v1/files': { scope: 'files', ids: after('file') },
  'GET /v1/files/{id}': { scope: 'files', ids: id('file') },
  'DELETE /v1/files/{id}': { scope: 'files', ids: id('file') },
  'GET /v1/files/{id}/content': { scope: 'files', ids: id('file') },
  'POST /v1/uploads': {
    scope: 'files',
    body: { filename: 'f', purpose: 'user_data', bytes: 7, mime_type: 'text/plain' },
  },
  'POST /v1/uploads/{id}/parts': { scope: 'files', file: 'data', ids: id('upload') },
  'POST /v1/uploads/{id}/complete': {
    scope: 'files',
    body: { part_ids: ['part_0'] },
    ids: [...id('upload'), { at: 'body.part_ids.0', of: 'part', missing: 400 }],
  },
  'POST /v1/uploads/{id}/cancel': { scope: 'files', ids: id('upload') },
  'POST /v1/batches': {
    scope: 'batches',
    body: { endpoint: '/v1/chat/completions', completion_window: '24h', input_file_id: 'file_0' },
    ids: [{ at: 'body.input_file_id', of: 'batchFile' }],
  },
  'GET /v1/batches': { scope: 'batches', ids: after('batch') },
  'GET /v1/batches/{id}': { scope: 'batches', ids: id('batch') },
  'POST /v1/batches/{id}/cancel': { scope: 'batches', ids: id('batch') },
  'POST /v1/voice/turns': {
    scope: 'voice_turns',
    file: 'file',
    ids: [{ at: 'body.conversation', of: 'conversation' }],
  },
  'GET /v1/voice/turns/{id}/audio': { scope: 'voice_turns', ids: id('voiceTurn') },
  'GET /v1/models': { scope: 'any' },
  'GET /v1/models/{id}': { scope: 'any', shared: ['path.id'] },
  'GET /v1/audio/voices': { scope: 'any' },
  'GET /v1/limits': { scope: 'any' },
  'GET /v1/jobs': { scope: 'jobs:read', ids: after('chat') },
  'GET /v1/jobs/{id}': job('jobs:read'),
  'DELETE /v1/jobs/{id}': job('jobs:write'),
  'POST /v1/jobs/{id}/cancel': job('jobs:write'),
  'GET /v1/jobs/{id}/events': job('jobs:read'),
  'GET /v1/jobs/{id}/result': job('jobs:read'),
  'POST /v1/conversations': { scope: 'conversations', body: {} },
  'GET /v1/conversations/{id}': conversation,
  'POST /v1/conversations/{id}': { ...conversation, body: { metadata: {} } },
  'DELETE /v1/conversations/{id}': conversation,
  'GET /v1/conversations/{id}/items': { scope: 'conversations', ids: [...id('conversation'), ...after('item')] },
  'POST /v1/conversations/{id}/items': { ...conversation, body: { items: [message] } },
  'GET /v1/conversations/{id}/items/{item}': { scope: 'conversations', ids: ofItem },
  'DELETE /v1/conversations/{id}/items/{item}': { scope: 'conversations', ids: ofItem },
  'POST /v1/exports': { scope: 'exports', body: {} },
  'GET /v1/exports': { scope: 'exports', ids: after('export') },
  'GET /v1/exports/{id}': { scope: 'exports', ids: id('export') },
  'GET /v1/exports/{id}/content': { scope: 'exports', ids: id('export') },
  'POST /v1/erasures': {
    scope: 'erasures',
    waits: true,
    body: { scope: { type: 'job', id: 'cht_0' } },
    ids: [
      { at: 'body.scope.id', of: 'chat' },
      { at: 'body.scope.id', of: 'conversation', body: { scope: { type: 'conversation' } } },
    ],
  },
  'GET /v1/erasures': {
    scope: 'erasures',
    ids: [...after('erasure'), { at: 'query.account', of: 'account', missing: 403, operator: true }],
  },
  'GET /v1/erasures/{id}': { scope: 'erasures', ids: id('erasure', operator) },
  'GET /.well-known/jwks.json': { scope: 'public' },
  'GET /v1/account': { scope: 'any' },
  'GET /v1/usage': { scope: 'usage' },
  'GET /v1/organization/usage/completions': usage,
  'GET /v1/organization/usage/audio_speeches': usage,
  'GET /v1/organization/usage/audio_transcriptions': usage,
  'PATCH /v1/account': { scope: 'account', body: { retention: {} } },
  'POST /v1/webhook_endpoints': { scope: 'webhooks', body: { url: 'https://example.com/hooks' } },
  'GET /v1/webhook_endpoints': { scope: 'webhooks', ids: after('endpoint') },
  'GET /v1/webhook_endpoints/{id}': webhook,
  'PATCH /v1/webhook_endpoints/{id}': { ...webhook, body: { description: 'x' } },
  'DELETE /v1/webhook_endpoints/{id}': webhook,
  'POST /v1/webhook_endpoints/{id}/rotate_secret': webhook,
  'POST /v1/account/rotate_webhook_secret': { scope: 'webhooks' },
  'POST /v1/webhook_endpoints/{id}/test': webhook,
  'GET /v1/webhook_endpoints/{id}/deliveries': {
    scope: 'webhooks',
    ids: [...id('endpoint'), ...after('delivery')],
  },
  'POST /v1/webhook_endpoints/{id}/deliveries/{delivery}/replay': {
    scope: 'webhooks',
    ids: [...id('endpoint'), { at: 'path.delivery', of: 'delivery' }],
  },
  'POST /v1/webhook_endpoints/{id}/replay': { ...webhook, body: { since: '2020-01-01T00:00:00Z' } },
  'GET /v1/webhook_deliveries': {
    scope: 'webhooks',
    ids: [...after('delivery'), { at: 'query.job', of: 'deliveredJob', missing: 200 }],
  },
  'POST /v1/webhook_deliveries/{delivery}/replay': {
    scope: 'webhooks',
    ids: [{ at: 'path.delivery', of: 'delivery' }],
  },
  'POST /v1/api_keys': {
    scope: 'api_keys',
    body: {},
    ids: [{ at: 'body.account', of: 'account', missing: 403, operator: true }],
  },
  'GET /v1/api_keys': {
    scope: 'api_keys',
    ids: [
      { at: 'query.after', of: 'apiKey', operator: true },
      { at: 'query.account', of: 'account', missing: 403, operator: true },
    ],
  },
  'GET /v1/api_keys/{id}': { scope: 'api_keys', ids: id('apiKey', operator) },
  'DELETE /v1/api_keys/{id}': { scope: 'api_keys', ids: id('apiKey', operator) },
  'POST /v1/accounts': { scope: 'admin', admin: true, body: { username: 'somebody' } },
  'GET /v1/accounts': {
    scope: 'admin',
    admin: true,
    ids: [{ at: 'query.after', of: 'account', operator: true }],
  },
  'GET /v1/accounts/{id}': { scope: 'admin', admin: true, ids: id('account', operator) },
  'PATCH /v1/accounts/{id}': { scope: 'admin', admin: true, body: {}, ids: id('account', operator) },
};
