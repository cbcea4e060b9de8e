/** Which page of a list, newest first. */
export interface PageFilter {
  limit: number;
  /** The last record of the page before. */
  after?: { _id: string; createdAt: Date } | undefined;
}

/** The records older than the last of the page before. */
export function older(after: PageFilter['after']) {
  return (
    after && {
      $or: [{ createdAt: { $lt: after.createdAt } }, { createdAt: after.createdAt, _id: { $lt: after._id } }],
    }
  );
}

/** The records newer than the last of the page before, of a list whose oldest come first. */
export function newer(after: PageFilter['after']) {
  return (
    after && {
      $or: [{ createdAt: { $gt: after.createdAt } }, { createdAt: after.createdAt, _id: { $gt: after._id } }],
    }
  );
}
