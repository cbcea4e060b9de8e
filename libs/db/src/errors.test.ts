import { mongo, Error as mongooseErrors } from 'mongoose';
import { expect, test } from 'vitest';
import { isDatabaseUnavailable } from './errors.ts';

const serverError = (code: number) => new mongo.MongoServerError({ message: 'no', code });
const labelled = (label: string) => new mongo.MongoServerError({ message: 'no', code: 4_711, errorLabels: [label] });

test.each<[string, unknown]>([
  ['a network that is cut', new mongo.MongoNetworkError('cut', {})],
  ['a network that is too slow', new mongo.MongoNetworkTimeoutError('slow', {})],
  ['no server to choose', new mongooseErrors.MongooseServerSelectionError('none')],
  ['a connection that is not there', new mongo.MongoNotConnectedError('none')],
  ['a server that stops', serverError(91)],
  ['a primary that steps down', serverError(189)],
  ['a storage that is in trouble', serverError(1)],
  ['a conflict of writes', serverError(112)],
  ['a majority that does not acknowledge', serverError(64)],
  ['a full disk', serverError(14_031)],
  ['an overload', labelled('SystemOverloadedError')],
  ['a write that may be repeated', labelled('RetryableWriteError')],
  ['a socket that was cut under the driver', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })],
])('%s is a database that is away', (_, error) => {
  expect(isDatabaseUnavailable(error)).toBe(true);
});

test.each<[string, unknown]>([
  ['a duplicate', serverError(11_000)],
  ['a bad value', serverError(2)],
  ['a missing right', serverError(13)],
  ['a document that does not fit its schema', new mongooseErrors.ValidationError()],
  ['a misuse of the driver', new mongo.MongoInvalidArgumentError('no')],
  ['a file that is not there', Object.assign(new Error('ENOENT'), { code: 'ENOENT' })],
  ['a mistake of ours', new TypeError('no')],
])('%s is none', (_, error) => {
  expect(isDatabaseUnavailable(error)).toBe(false);
});
