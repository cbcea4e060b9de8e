import { mongo, Error as mongooseErrors } from 'mongoose';

/** Is this the error of a write that a unique index refused? */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === 11_000;
}

/** What the driver raises by itself where no server answers, or not in time. */
const UNREACHABLE = [
  // Its kin too: a network that is cut or too slow, a pool that was cleared because of another operation's error.
  mongo.MongoNetworkError,
  mongo.MongoServerSelectionError,
  mongooseErrors.MongooseServerSelectionError,
  mongo.MongoOperationTimeoutError,
  mongo.MongoNotConnectedError,
  mongo.MongoServerClosedError,
  mongo.MongoTopologyClosedError,
  mongo.MongoClientClosedError,
  mongo.MongoExpiredSessionError,
  // An answer that broke off.
  mongo.MongoUnexpectedServerResponseError,
  // A majority did not acknowledge the write in time; whether it lasts is not known.
  mongo.MongoWriteConcernError,
];

/** The same, of kinds that the driver does not export. */
const UNREACHABLE_NAMES = new Set(['MongoWaitQueueTimeoutError', 'MongoPoolClosedError']);

/**
 * A server's own words for "not now": it stops, steps down, recovers, is overloaded, lost its peers, or another operation holds
 * what this one needs. By MongoDB's error_codes.yml.
 */
const NOT_NOW = new Set<unknown>([
  1, // InternalError: with SecantusDB whatever broke in its storage, as it does under load
  6, // HostUnreachable
  7, // HostNotFound
  24, // LockTimeout
  46, // LockBusy
  50, // MaxTimeMSExpired
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  262, // ExceededTimeLimit
  279, // ClientDisconnect
  365, // TemporarilyUnavailable
  462, // IngressRequestRateLimitExceeded
  9_001, // SocketException
  10_058, // LegacyNotPrimary
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_602, // InterruptedDueToReplStateChange
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
  14_031, // OutOfDiskSpace
]);

const LABELS = ['RetryableWriteError', 'TransientTransactionError', 'RetryableError', 'SystemOverloadedError'];

/** Is this the error of a database that does not answer, so that the same call may succeed later? */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (UNREACHABLE.some((kind) => error instanceof kind)) return true;
  if (!(error instanceof mongo.MongoError)) return isCutSocket(error);
  return (
    UNREACHABLE_NAMES.has(error.name) || NOT_NOW.has(error.code) || LABELS.some((label) => error.hasErrorLabel(label))
  );
}

/** The driver hands on a socket's own error where the connection is cut while it waits for room to write more. */
function isCutSocket(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');
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
