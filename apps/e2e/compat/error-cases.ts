/** A request that is wrong, and the exception that each official client has for it. JSON, so that Python reads it too. */
export interface ErrorCase {
  title: string;
  request: {
    method: 'get' | 'post';
    path: string;
    body?: object;
    headers?: Record<string, string>;
    /** Another key than the client's. */
    apiKey?: string;
  };
  raised: {
    status: number;
    /** Of Node's client, and of Python's where its name is another one. */
    type: string;
    pythonType?: string;
    code: string;
    param: string | null;
    /** What its message has in it. */
    message: string;
  };
}

/** What some of the requests need to find. */
export interface Prepared {
  /** A job that never ends. */
  runningJob: string;
  /** A key that stands for another chat. */
  usedKey: string;
}

const CHAT = '/chat/completions';
const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] };

export function errorCases({ runningJob, usedKey }: Prepared): ErrorCase[] {
  return [
    {
      title: 'a field that is wrong',
      request: { method: 'post', path: CHAT, body: { ...chat, temperature: 9 } },
      raised: {
        status: 400,
        type: 'BadRequestError',
        code: 'validation_failed',
        param: 'temperature',
        message: 'temperature must be a number from 0 to 2, not 9',
      },
    },
    {
      title: 'a key that is not known',
      request: { method: 'get', path: '/models', apiKey: 'sk-wrong' },
      raised: {
        status: 401,
        type: 'AuthenticationError',
        code: 'invalid_api_key',
        param: null,
        message: 'This API key is not known.',
      },
    },
    {
      title: "what needs an operator's key",
      request: { method: 'get', path: '/erasures?account=acc_other' },
      raised: {
        status: 403,
        type: 'PermissionDeniedError',
        code: 'access_denied',
        param: null,
        message: "need an operator's key",
      },
    },
    {
      title: 'a model that is not there',
      request: { method: 'post', path: CHAT, body: { ...chat, model: 'gpt-99' } },
      raised: { status: 404, type: 'NotFoundError', code: 'model_not_found', param: 'model', message: 'test-llm' },
    },
    {
      title: 'a result that is not there yet',
      request: { method: 'get', path: `/jobs/${runningJob}/result` },
      raised: {
        status: 409,
        type: 'ConflictError',
        code: 'result_not_ready',
        param: null,
        message: 'its result is not there yet',
      },
    },
    {
      title: 'a body that is too large',
      request: { method: 'post', path: CHAT, body: { ...chat, user: 'x'.repeat(600_000) } },
      raised: {
        status: 413,
        type: 'APIError',
        pythonType: 'APIStatusError',
        code: 'body_too_large',
        param: null,
        message: 'larger than the limit of 524288 bytes',
      },
    },
    {
      title: 'a body that is no JSON',
      request: { method: 'post', path: CHAT, body: chat, headers: { 'content-type': 'application/xml' } },
      raised: {
        status: 415,
        type: 'APIError',
        pythonType: 'APIStatusError',
        code: 'unsupported_media_type',
        param: null,
        message: 'send JSON as application/json',
      },
    },
    {
      title: 'a key of another request',
      request: { method: 'post', path: CHAT, body: chat, headers: { 'idempotency-key': usedKey } },
      raised: {
        status: 422,
        type: 'UnprocessableEntityError',
        code: 'idempotency_key_reused',
        param: 'Idempotency-Key',
        message: 'body',
      },
    },
  ];
}
