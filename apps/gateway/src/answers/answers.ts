import type { BlobStore } from '@aigolos/blob-store';
import { isFinal } from '@aigolos/contracts';
import type { AnyJobRecord, JobRecord, JobSummary } from '@aigolos/db';
import type { Jobs } from '@aigolos/jobs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CLIENT_GONE } from '../plugins/observe.ts';
import { heldOpenSignal, waitPatiently } from './held-open.ts';
import { expiresAt, retryAfterSeconds, toJobView } from './job-view.ts';
import { parsePrefer, preferenceApplied } from './prefer.ts';
import { resultBody, whyNoResult } from './result-body.ts';
import { goesOn, streamCompletion } from './stream-completion.ts';
import { warningsHeader } from './warnings-header.ts';

export interface AnswersDeps {
  jobs: Jobs;
  blobs: Pick<BlobStore, 'read' | 'exists'>;
  /** Aborts when the gateway stops; jobs go on. */
  stopping: AbortSignal;
}

/** How submissions are answered. */
export interface Answers {
  /** As the client prefers: held open until the job ends, for a time, or not at all. */
  submission(request: FastifyRequest, reply: FastifyReply, job: AnyJobRecord): Promise<FastifyReply>;
  /** As server-sent events while the job runs, unless the client prefers not to wait. */
  stream(
    request: FastifyRequest,
    reply: FastifyReply,
    job: JobRecord<'chat'>,
    options: { includeUsage: boolean },
  ): Promise<FastifyReply>;
  /** The job itself. */
  job(reply: FastifyReply, job: JobSummary): Promise<FastifyReply>;
  /** What the synchronous call would have given. */
  result(reply: FastifyReply, account: string, id: string): Promise<FastifyReply>;
}

export function createAnswers({ jobs, blobs, stopping }: AnswersDeps): Answers {
  async function job(reply: FastifyReply, record: JobSummary): Promise<FastifyReply> {
    const position = record.status === 'queued' ? await jobs.queuePosition(record) : null;
    lookAgain(reply, record);
    return reply.send(toJobView(record, position));
  }

  async function ended(reply: FastifyReply, record: AnyJobRecord): Promise<FastifyReply> {
    announce(reply, record);
    const answer = await resultBody(blobs, record);
    switch (answer.type) {
      case 'json':
        return reply.send(answer.body);
      case 'text':
        return expiring(reply, record).type('text/plain; charset=utf-8').send(answer.text);
      case 'file':
        return expiring(reply, record)
          .type(answer.contentType)
          .header('content-length', answer.bytes)
          .send(answer.stream);
    }
  }

  const accepted = (reply: FastifyReply, record: AnyJobRecord) =>
    job(reply.code(202).header('location', `/v1/jobs/${record._id}`), record);

  return {
    job,
    async result(reply, account, id) {
      // Asked for again and again while the job runs; what came of it is read once, so it is not kept.
      const seen = await jobs.poll(account, id);
      if (isFinal(seen.status)) return ended(reply, await jobs.get(account, id));
      announce(reply, seen);
      lookAgain(reply, seen);
      throw whyNoResult(seen);
    },

    async submission(request, reply, record) {
      announce(reply, record);
      const preference = parsePrefer(request.headers.prefer);
      const applied = preferenceApplied(preference);
      if (applied) reply.header('preference-applied', applied);
      if (preference.respondAsync && preference.waitSeconds === undefined) return accepted(reply, record);

      const { waitSeconds } = preference;
      const held = heldOpenSignal(reply, stopping);
      const limit = waitSeconds === undefined ? [] : [AbortSignal.timeout(waitSeconds * 1_000)];
      const seen = await waitPatiently(jobs, record, AbortSignal.any([held, ...limit]));
      if (isFinal(seen.status)) return ended(reply, seen);
      if (waitSeconds !== undefined) return accepted(reply, seen);
      if (stopping.aborted) throw goesOn(record);
      return reply.code(CLIENT_GONE).send();
    },

    async stream(request, reply, record, { includeUsage }) {
      if (parsePrefer(request.headers.prefer).respondAsync) return this.submission(request, reply, record);
      announce(reply, record);
      const signal = heldOpenSignal(reply, stopping);
      const events = await streamCompletion(jobs, record, { includeUsage, signal, log: request.log });
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-cache')
        .header('x-accel-buffering', 'no')
        .send(events);
    },
  };
}

/** Set before anything can fail, so that errors carry them too. */
function announce(reply: FastifyReply, job: JobSummary): void {
  reply.header('x-job-id', job._id);
  const header = warningsHeader(job.warnings);
  if (header) reply.header('x-warnings', header);
}

function lookAgain(reply: FastifyReply, job: JobSummary): void {
  const retryAfter = retryAfterSeconds(job);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
}

/** For bodies that cannot say themselves when they are deleted. */
function expiring(reply: FastifyReply, record: JobSummary): FastifyReply {
  const at = expiresAt(record);
  return at === null ? reply : reply.header('x-expires-at', at);
}
