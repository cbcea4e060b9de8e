import { mongo, Error as mongooseErrors } from 'mongoose';

/** Is this the error of a write that a unique index refused? */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === 11_000;
}

/** Is this the error of a database that does not answer, so that the same call may succeed later? */
export function isDatabaseUnavailable(error: unknown): boolean {
  return (
    error instanceof mongo.MongoNetworkError ||
    error instanceof mongo.MongoServerSelectionError ||
    error instanceof mongo.MongoNotConnectedError ||
    error instanceof mongo.MongoTopologyClosedError ||
    error instanceof mongooseErrors.MongooseServerSelectionError
  );
}

/**
 * MongoDB's ChangeStreamHistoryLost and ChangeStreamFatalError; and InvalidResumeToken and FailedToParse, with which it meets the
 * token of another server, as after a restored backup.
 */
const NO_GOING_ON = new Set<unknown>([286, 280, 260, 9]);

/** There is no going on from this resume token. */
export function isHistoryLost(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && NO_GOING_ON.has(error.code);
}
