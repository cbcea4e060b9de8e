import { abortable } from '../abortable.ts';
import { createSlots } from '../slots.ts';
import { ASR_SAMPLE_RATE_HZ, type AsrEngine, type AsrOptions, UNKNOWN_LANGUAGE } from './asr-engine.ts';
import { asrFailed, toAsrError } from './asr-error.ts';
import { type AsrHost, type AsrHostOptions, type HostTranscript, startAsrHost } from './asr-host.ts';
import { orderTranscript } from './transcript.ts';
import { whisperLanguage } from './whisper-language.ts';

export interface FasterWhisperOptions extends AsrHostOptions {
  /** The catalogue id of the model. */
  model: string;
  /** A call that takes longer is ended together with its child. A minute and 10 times the audio's length unless said. */
  timeLimitMs?: ((audioSeconds: number) => number) | undefined;
}

/** How long the child may take to answer a cancel before it is killed. A window of 30 s can take longer than that. */
const CANCEL_GRACE_MS = 500;

/**
 * Runs a CTranslate2 Whisper model by faster-whisper in a supervised Python child. A native crash or a hard cancel ends
 * the child and not this process; another one takes its place. Calls are served in turn. Resolves when the model is
 * loaded.
 * @throws AsrServiceError (`ASR_ENGINE_FAILED`) when Python, faster-whisper or the model are missing or broken.
 */
export async function createFasterWhisperEngine(options: FasterWhisperOptions): Promise<AsrEngine> {
  const { model, log } = options;
  const closing = new AbortController();
  const hosts = superviseHosts(() => startAsrHost(options, closing.signal));
  const { languages } = await hosts.live().catch((error: unknown) => {
    throw asrFailed(`The speech model ${model} could not be loaded.`, error);
  });
  log.info({ model, languages: languages.length }, 'speech model loaded');
  const seat = createSlots(['the child']);

  /** Settles only when the child is free again or gone, so that the next call finds it so. */
  async function serve(samples: Float32Array, call: AsrOptions, signal: AbortSignal): Promise<HostTranscript> {
    const host = await hosts.live();
    signal.throwIfAborted();
    const watch = watchCall(host, signal, timeLimitMs(options, samples));
    try {
      return await host.transcribe(samples, {
        task: call.task ?? 'transcribe',
        language: call.language ?? null,
        prompt: call.prompt ?? null,
        temperature: call.temperature ?? null,
        words: call.wordTimestamps,
      });
    } catch (error) {
      throw watch.isOverdue() ? asrFailed('The speech recogniser took too long and was stopped.', error) : error;
    } finally {
      watch.end();
      if (host.hasEnded() && !closing.signal.aborted) {
        log.warn({ model }, 'speech recogniser ended, starting another');
        hosts.prepare();
      }
    }
  }

  return {
    model,
    async transcribe(samples, call, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      either.throwIfAborted();
      const language = whisperLanguage(call.language, { model, languages });
      const turn = await seat.acquire(either);
      const served = serve(samples, { ...call, language }, either).finally(() => seat.release(turn));
      try {
        const found = await abortable(served, either);
        return {
          language: found.language ?? language ?? UNKNOWN_LANGUAGE,
          ...orderTranscript(found.segments, samples.length / ASR_SAMPLE_RATE_HZ),
          warnings: call.task === 'translate' && languages.length === 1 ? [knowsOneLanguage(model)] : [],
        };
      } catch (error) {
        throw toAsrError(error, 'The speech recogniser failed.', either);
      }
    },
    async close() {
      closing.abort(asrFailed('The speech recogniser was stopped.'));
      await hosts.ended();
    },
  };
}

function knowsOneLanguage(model: string): string {
  return `Model ${model} knows English alone and takes what is said for it: nothing was translated.`;
}

function timeLimitMs(options: FasterWhisperOptions, samples: Float32Array): number {
  const audioSeconds = samples.length / ASR_SAMPLE_RATE_HZ;
  return options.timeLimitMs?.(audioSeconds) ?? 60_000 + 10_000 * audioSeconds;
}

interface Hosts {
  /** The running child, or a new one where there is none. */
  live(): Promise<AsrHost>;
  /** Has a new one started already when the next call comes. */
  prepare(): void;
  ended(): Promise<void>;
}

function superviseHosts(start: () => Promise<AsrHost>): Hosts {
  let host: Promise<AsrHost> | undefined;
  function begin(): Promise<AsrHost> {
    const starting = start();
    const forget = () => {
      if (host === starting) host = undefined;
    };
    void starting.then((started) => started.ended).then(forget, forget);
    return starting;
  }
  const live = () => (host ??= begin());
  return {
    live,
    // Where it fails, the call that needs it tries once more and reports the error.
    prepare: () => void live().catch(() => {}),
    async ended() {
      const last = await host?.catch(() => undefined);
      await last?.ended;
    },
  };
}

/** Stops the child's work on abort, by force where it does not react, and where the call takes too long. */
function watchCall(host: AsrHost, signal: AbortSignal, limitMs: number): { isOverdue(): boolean; end(): void } {
  let overdue = false;
  let grace: NodeJS.Timeout | undefined;
  const limit = setTimeout(() => {
    overdue = true;
    host.kill();
  }, limitMs);
  const onAbort = () => {
    host.cancel();
    grace = setTimeout(() => host.kill(), CANCEL_GRACE_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    isOverdue: () => overdue,
    end() {
      clearTimeout(limit);
      clearTimeout(grace);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
