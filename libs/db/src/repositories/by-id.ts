/**
 * The record of that id, where these fields of it have these values too: what a conditional write, or a look by its owner, asks for.
 * SecantusDB reads its whole list of indexes, some times over, for each field that is asked for by its mere value, and takes longer for
 * that than for the write, though the id alone finds the record; of a field that is asked to be there as well it does not. To MongoDB
 * it is all the same.
 */
export function byId<T extends { _id: string }>(id: string, fields: Partial<T>): { _id: string } {
  const exactly = Object.entries(fields).map(([field, value]) => [field, { $eq: value, $exists: true }]);
  return { _id: id, ...(Object.fromEntries(exactly) as object) };
}
