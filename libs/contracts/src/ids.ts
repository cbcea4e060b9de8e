import { v7 as uuidv7 } from 'uuid';

/** Prefix of every id we make: it names the kind of record, in logs, URLs and blob keys alike. */
export const ID_PREFIXES = {
  transcription: 'trn',
  translation: 'trl',
  speech: 'spc',
  chat: 'cht',
  response: 'rsp',
  'voice-turn': 'vtn',
  batch: 'batch',
  export: 'exp',
  erasure: 'era',
  conversation: 'conv',
  message: 'msg',
  file: 'file',
  upload: 'upload',
  uploadPart: 'part',
  webhookEndpoint: 'whe',
  webhookEvent: 'evt',
  webhookDelivery: 'whd',
  account: 'acc',
  apiKey: 'key',
  request: 'req',
} as const;
export type IdPrefix = (typeof ID_PREFIXES)[keyof typeof ID_PREFIXES];

/** A new id such as `trn_0199f3…`: the prefix and a UUIDv7 without dashes, so ids sort by the time they were made. */
export function newId(kind: keyof typeof ID_PREFIXES): string {
  return `${ID_PREFIXES[kind]}_${uuidv7().replaceAll('-', '')}`;
}
