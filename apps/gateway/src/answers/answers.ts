import type { Readable } from 'node:stream';
import { isFinal, type TranscriptKind } from '@aigolos/contracts';
import type { AnyJobRecord, JobSummary } from '@aigolos/db';
import type { Jobs, Submitted } from '@aigolos/jobs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CLIENT_GONE } from '../plugins/observe.ts';
import { clientGone, heldOpenSignal, waitPatiently, whyCut } from './held-open.ts';
import { expiresAt, retryAfterSeconds, toJobView } from './job-view.ts';
import { parsePrefer, preferenceApplied } from './prefer.ts';
import { resultBody, whyNoResult } from './result-body.ts';
import { sendEvents } from './server-sent-events.ts';
import { streamSpeechEvents } from './speech-events.ts';
import { takesAudio } from './speech-result.ts';
import { streamCompletion } from './stream-completion.ts';
import { streamResponse } from './stream-response.ts';
import { type SpeechStream, type StreamSpeechDeps, streamSpeech } from './stream-speech.ts';
import { streamTranscript } from './stream-transcript.ts';
import { cancelsOnDisconnect } from './submission-options.ts';
import { addWarnings } from './warnings-header.ts';

export interface AnswersDeps extends StreamSpeechDeps {
  jobs: Jobs;
  /** Aborts when the gateway stops; jobs go on. */
  stopping: AbortSignal;
}

/** How submissions are answered. */
export interface Answers {
  /** As the client prefers: held open until the job ends, for a time, or not at all. */
  submission(request: FastifyRequest, reply: FastifyReply, submitted: Submitted): Promise<FastifyReply>;
  /** As server-sent events while the job runs, unless the client prefers not to wait. */
  stream(
    request: FastifyRequest,
    reply: FastifyReply,
    submitted: Submitted<'chat'>,
    options: { includeUsage: boolean },
  ): Promise<FastifyReply>;
  /** As `stream`, of a transcript: what of it stands, chunk by chunk. */
  transcript(request: FastifyRequest, reply: FastifyReply, submitted: Submitted<TranscriptKind>): Promise<FastifyReply>;
  /** As `stream`, of a speech: its sound in its format. */
  speech(request: FastifyRequest, reply: FastifyReply, submitted: Submitted<'speech'>): Promise<FastifyReply>;
  /** The same of a response: its events, or those after one of them. */
  responseStream(
    request: FastifyRequest,
    reply: FastifyReply,
    submitted: Submitted<'response'>,
    options?: { startingAfter?: number | undefined },
  ): Promise<FastifyReply>;
  /** The job itself. */
  job(reply: FastifyReply, job: JobSummary): Promise<FastifyReply>;
  /** What the synchronous call would have given; of a speech that is waited for its sound while it is made. */
  result(request: FastifyRequest, reply: FastifyReply, id: string, accept?: string): Promise<FastifyReply>;
}

export function createAnswers(deps: AnswersDeps): Answers {
  const { jobs, blobs, stopping } = deps;

  async function job(reply: FastifyReply, record: JobSummary): Promise<FastifyReply> {
    const place = record.status === 'queued' ? await jobs.place(record) : undefined;
    lookAgain(reply, record);
    return reply.send(toJobView(record, place));
  }

  async function ended(reply: FastifyReply, record: AnyJobRecord, accept?: string): Promise<FastifyReply> {
    announce(reply, record);
    const answer = await resultBody(blobs, record, accept);
    switch (answer.type) {
      case 'json':
        return reply.send(answer.body);
      case 'text':
        return expiring(reply, record).type(answer.contentType).send(answer.text);
      case 'file':
        return expiring(reply, record)
          .type(answer.contentType)
          .header('content-length', answer.bytes)
          .send(answer.stream);
    }
  }

  /** The sound of a speech while it is made, unless it ends before any of it is there. */
  async function soundOf(
    { log }: FastifyRequest,
    record: AnyJobRecord,
    options: { signal: AbortSignal; waitSeconds?: number },
  ): Promise<SpeechStream | undefined> {
    if (record.kind !== 'speech' || isFinal(record.status)) return undefined;
    return streamSpeech(deps, record, { ...options, log });
  }

  const sound = (reply: FastifyReply, { contentType, stream }: SpeechStream) =>
    reply.type(contentType).header('x-accel-buffering', 'no').send(stream);

  /** Until the client has gone, which cancels the job where it asked for that, its key is refused, or the gateway stops. */
  function hold(request: FastifyRequest, reply: FastifyReply, { account, _id: id }: JobSummary): AbortSignal {
    const gone = clientGone(reply);
    const held = AbortSignal.any([gone, request.keyRefused, stopping]);
    if (!cancelsOnDisconnect(request.headers)) return held;
    const cancel = async () => {
      if (reply.raw.writableFinished) return;
      await jobs.cancel(account, id).catch((error: unknown) => {
        request.log.warn({ err: error, jobId: id }, 'a job whose client has gone was not cancelled');
      });
    };
    if (gone.aborted) void cancel();
    else gone.addEventListener('abort', () => void cancel(), { once: true });
    return held;
  }

  const accepted = (reply: FastifyReply, record: AnyJobRecord) =>
    job(reply.code(202).header('location', `/v1/jobs/${record._id}`), record);

  function notYet(reply: FastifyReply, seen: JobSummary): never {
    lookAgain(reply, seen);
    throw whyNoResult(seen);
  }

  async function submission(
    request: FastifyRequest,
    reply: FastifyReply,
    { job: submitted, replayed }: Submitted,
  ): Promise<FastifyReply> {
    const record = submitted as AnyJobRecord;
    announce(reply, record, replayed);
    const preference = parsePrefer(request.headers.prefer);
    const applied = preferenceApplied(preference);
    if (applied) reply.header('preference-applied', applied);
    if (preference.respondAsync && preference.waitSeconds === undefined) return accepted(reply, record);

    const { waitSeconds } = preference;
    const held = hold(request, reply, record);
    const speech = waitSeconds === undefined ? await soundOf(request, record, { signal: held }) : undefined;
    if (speech) return sound(reply, speech);
    const limit = waitSeconds === undefined ? [] : [AbortSignal.timeout(waitSeconds * 1_000)];
    const seen = await waitPatiently(jobs, record, AbortSignal.any([held, ...limit]));
    request.keyRefused.throwIfAborted();
    // OpenAI's clients say of speech that they take anything.
    const accept = seen.kind === 'voice-turn' ? request.headers.accept : undefined;
    if (isFinal(seen.status)) return ended(reply, seen, accept);
    if (waitSeconds !== undefined) return accepted(reply, seen);
    if (stopping.aborted) throw whyCut(held, record);
    return reply.code(CLIENT_GONE).send();
  }

  /** Server-sent events while the job runs, unless the client prefers not to wait. */
  async function events(
    request: FastifyRequest,
    reply: FastifyReply,
    submitted: Submitted,
    open: (signal: AbortSignal) => Promise<Readable>,
  ): Promise<FastifyReply> {
    if (parsePrefer(request.headers.prefer).respondAsync) return submission(request, reply, submitted);
    const record = submitted.job as AnyJobRecord;
    announce(reply, record, submitted.replayed);
    return sendEvents(reply, await open(hold(request, reply, record)));
  }

  return {
    job,
    submission,
    async result(request, reply, id, accept = request.headers.accept) {
      const { account, headers } = request;
      // Asked for again and again while the job runs; what came of it is read once, so it is not kept.
      const seen = await jobs.poll(account, id);
      if (isFinal(seen.status)) return ended(reply, await jobs.get(account, id), accept);
      announce(reply, seen);
      const { waitSeconds } = parsePrefer(headers.prefer);
      if (seen.kind !== 'speech' || waitSeconds === undefined || !takesAudio(accept)) return notYet(reply, seen);
      const record = await jobs.get(account, id);
      const signal = heldOpenSignal(reply, stopping);
      const speech = await soundOf(request, record, { signal, waitSeconds });
      if (speech) return sound(reply, speech);
      request.keyRefused.throwIfAborted();
      const now = await jobs.get(account, id);
      return isFinal(now.status) ? ended(reply, now, accept) : notYet(reply, now);
    },

    stream: (request, reply, submitted, { includeUsage }) =>
      events(request, reply, submitted, (signal) =>
        streamCompletion(jobs, submitted.job, { includeUsage, signal, log: request.log }),
      ),

    speech: (request, reply, submitted) =>
      events(request, reply, submitted, (signal) =>
        streamSpeechEvents(deps, submitted.job, { signal, log: request.log }),
      ),

    transcript: (request, reply, submitted) =>
      events(request, reply, submitted, (signal) =>
        streamTranscript(jobs, submitted.job, { signal, log: request.log }),
      ),

    responseStream: (request, reply, submitted, { startingAfter = -1 } = {}) =>
      events(request, reply, submitted, async (signal) =>
        streamResponse(jobs, submitted.job, { startingAfter, signal, log: request.log }),
      ),
  };
}

/** Set before anything can fail, so that errors carry them too. */
function announce(reply: FastifyReply, job: JobSummary, replayed = false): void {
  reply.header('x-job-id', job._id);
  if (replayed) reply.header('idempotent-replayed', 'true');
  addWarnings(reply, job.warnings);
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
