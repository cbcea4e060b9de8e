/** Which page of a list. */
export interface PageFilter {
  limit: number;
  /** The last record of the page before. */
  after?: { _id: string; createdAt: Date } | undefined;
}

/** The records older than the last of the page before. */
export function older(after: PageFilter['after']) {
  return beyond(after, '$lt');
}

/** The records newer than the last of the page before. */
export function newer(after: PageFilter['after']) {
  return beyond(after, '$gt');
}

function beyond(after: PageFilter['after'], than: '$lt' | '$gt') {
  return (
    after && {
      $or: [{ createdAt: { [than]: after.createdAt } }, { createdAt: after.createdAt, _id: { [than]: after._id } }],
    }
  );
}

/** Of what is read: its time has not come. What is due is gone for its readers, though it is deleted a little later. */
export function notYet() {
  return { $not: { $lte: new Date() } };
}
