import { type ChatMessage, CONVERSATION_CONTEXT_MESSAGES } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord, MessageRecord } from '@aigolos/db';
import { jobsOfLoad, type Rule, type Violation } from './case.ts';

/** By job: the messages that stood before its turn and that it was to be answered with. */
export function contextsOf(messages: readonly MessageRecord[]): Map<string, ChatMessage[]> {
  const contexts = new Map<string, ChatMessage[]>();
  for (const said of byConversation(messages).values()) {
    for (const [place, { job }] of said.entries()) {
      if (job === undefined || contexts.has(job)) continue;
      const before = said.slice(Math.max(0, place - CONVERSATION_CONTEXT_MESSAGES), place);
      contexts.set(
        job,
        before.map(({ role, content }) => ({ role, content })),
      );
    }
  }
  return contexts;
}

function byConversation(messages: readonly MessageRecord[]): Map<string, MessageRecord[]> {
  return Map.groupBy(
    messages.toSorted((a, b) => a.seq - b.seq),
    ({ conversation }) => conversation,
  );
}

/** One question and one answer a turn that completed, none of others, in their places and without gaps. */
export const turnsAreWrittenOnce: Rule = (given) => {
  const violations: Violation[] = [];
  const ofJob = Map.groupBy(given.evidence.messages, ({ job }) => job);
  for (const { job } of jobsOfLoad(given)) {
    if (!isTurn(job) || job.conversation === undefined) continue;
    const roles = (ofJob.get(job._id) ?? [])
      .toSorted((a, b) => a.seq - b.seq)
      .map(({ role }) => role)
      .join(' ');
    const wanted = job.status === 'completed' ? 'user assistant' : '';
    if (roles !== wanted) {
      violations.push({ rule: 'messages', about: job._id, what: `has messages "${roles}", not "${wanted}"` });
    }
    const said = saidIn(job);
    for (const { role, content } of ofJob.get(job._id) ?? []) {
      if (content !== said[role]) {
        violations.push({ rule: 'messages', about: job._id, what: `its message of the ${role} is "${content}"` });
      }
    }
  }
  for (const [about, said] of byConversation(given.evidence.messages)) {
    const wrong = said.findIndex(({ seq }, place) => seq !== place);
    if (wrong !== -1)
      violations.push({ rule: 'messages', about, what: `message ${wrong} has place ${said[wrong]?.seq}` });
  }
  return violations;
};

type Turn = JobRecord<'chat'> | JobRecord<'voice-turn'>;

function isTurn(job: AnyJobRecord): job is Extract<AnyJobRecord, { kind: 'chat' | 'voice-turn' }> {
  return job.kind === 'chat' || job.kind === 'voice-turn';
}

/** What a turn has to leave in its conversation: of a voice turn what was heard, and what was said. */
function saidIn(job: Turn): { [Role in MessageRecord['role']]?: string | undefined } {
  if ('messages' in job.task) {
    const { task, result } = job as JobRecord<'chat'>;
    return { user: task.messages.at(-1)?.content, assistant: result?.text };
  }
  const { result } = job as JobRecord<'voice-turn'>;
  return { user: result?.transcript.text, assistant: result?.answer.text };
}

/** A turn whose predecessor was acknowledged before it was sent is answered after it. */
export const turnsAreInOrder: Rule = (given) => {
  const violations: Violation[] = [];
  const sentAt = new Map(
    given.journal
      .of('sent')
      .toReversed()
      .map(({ op, at }) => [op, at]),
  );
  const acknowledgedAt = new Map(
    given.journal
      .of('acknowledged')
      .toReversed()
      .map(({ op, at }) => [op, at]),
  );
  const turns = [...jobsOfLoad(given)].flatMap(({ job, operation }) =>
    isTurn(job) && job.conversation !== undefined ? [{ job, op: operation.id }] : [],
  );
  for (const ofOne of Map.groupBy(turns, ({ job }) => job.conversation).values()) {
    const answered = ofOne
      .filter(({ job }) => job.status === 'completed')
      .toSorted((a, b) => (seqOf(given.evidence.messages, a.job) ?? 0) - (seqOf(given.evidence.messages, b.job) ?? 0));
    for (const [place, { job, op }] of answered.entries()) {
      for (const earlier of answered.slice(0, place)) {
        const promised = acknowledgedAt.get(op);
        const sent = sentAt.get(earlier.op);
        if (promised !== undefined && sent !== undefined && promised < sent) {
          const what = `was promised before turn ${earlier.job.turn} (${earlier.job._id}) was sent, and answered after it`;
          violations.push({ rule: 'turn_order', about: job._id, what });
        }
      }
    }
  }
  return violations;
};

function seqOf(messages: readonly MessageRecord[], { _id: id }: JobRecord): number | undefined {
  return messages.find(({ job }) => job === id)?.seq;
}
