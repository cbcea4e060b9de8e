import type { mongo } from 'mongoose';

/** One change of one record, whoever made it and by whatever means. */
export interface Change {
  collection: string;
  operation: 'insert' | 'update' | 'delete';
  id: string;
  /** New values of those fields that a reaction asks for. A delete tells none. */
  fields: Record<string, unknown>;
  /** When the database made the change, as far as it says. */
  at: Date | undefined;
}

/** What one kind of change sets in motion. */
export interface Reaction {
  name: string;
  collection: string;
  /** A record that is replaced by another of the same id is updated in all its fields. */
  operation: Change['operation'];
  /** Fields that the change is to tell. An update that sets none of them is no such change, and never leaves the database server. */
  fields?: readonly string[];
  /** Narrows down further what counts as such a change. */
  when?: (change: Change) => boolean;
  /** Must be fine to run twice for the same change, and end soon after the signal. */
  react: (change: Change, signal: AbortSignal) => Promise<void>;
}

/**
 * Lets through what the reactions wait for and nothing else: renewals of leases are frequent, and the content of a record is
 * nothing that a reaction needs.
 */
export function pipelineFor(reactions: readonly Reaction[]): mongo.BSON.Document[] {
  const fields = new Set(reactions.flatMap((reaction) => reaction.fields ?? []));
  const told = [...fields].flatMap((field) => [`fullDocument.${field}`, `updateDescription.updatedFields.${field}`]);
  // Many reactions wait for the same changes, and the server looks at each filter for each change that anybody makes.
  const filters = new Map(reactions.map(filterFor).map((filter) => [JSON.stringify(filter), filter]));
  return [
    { $match: { $or: [{ operationType: 'invalidate' }, ...filters.values()] } },
    {
      $project: Object.fromEntries(
        ['operationType', 'ns', 'documentKey', 'wallTime', ...told].map((path) => [path, 1]),
      ),
    },
  ];
}

function filterFor({ collection, operation, fields }: Reaction): mongo.BSON.Document {
  if (operation !== 'update') return { 'ns.coll': collection, operationType: operation };
  if (!fields) return { 'ns.coll': collection, operationType: { $in: ['update', 'replace'] } };
  const sets = fields.map((field) => ({ [`updateDescription.updatedFields.${field}`]: { $exists: true } }));
  return { 'ns.coll': collection, $or: [{ operationType: 'replace' }, ...sets] };
}

/** The change that an event tells of, if it is one that reactions can wait for. */
export function toChange(event: mongo.ChangeStreamDocument): Change | undefined {
  if (event.operationType === 'insert') return { ...recordOf(event), operation: 'insert', fields: event.fullDocument };
  if (event.operationType === 'replace') return { ...recordOf(event), operation: 'update', fields: event.fullDocument };
  if (event.operationType === 'update') {
    return { ...recordOf(event), operation: 'update', fields: event.updateDescription.updatedFields ?? {} };
  }
  if (event.operationType === 'delete') return { ...recordOf(event), operation: 'delete', fields: {} };
  return undefined;
}

function recordOf(event: { ns: { coll: string }; documentKey: { _id: unknown }; wallTime?: Date }) {
  return { collection: event.ns.coll, id: String(event.documentKey._id), at: event.wallTime };
}

/** Is this a change that the reaction waits for? */
export function concerns(reaction: Reaction, change: Change): boolean {
  const { collection, operation, fields, when } = reaction;
  if (collection !== change.collection || operation !== change.operation) return false;
  if (operation === 'update' && fields && !fields.some((field) => field in change.fields)) return false;
  return when?.(change) ?? true;
}
