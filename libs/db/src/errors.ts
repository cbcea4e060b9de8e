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

/** The history that a resume token points to is gone. */
export function isHistoryLost(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && (error.code === 286 || error.code === 280);
}
