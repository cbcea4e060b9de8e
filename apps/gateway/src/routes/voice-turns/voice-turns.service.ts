import type { BlobStore, SpooledFile } from '@aigolos/blob-store';
import {
  NotFoundError,
  newId,
  type VoiceTurnFields,
  VoiceTurnFieldsSchema,
  type VoiceTurnTask,
} from '@aigolos/contracts';
import { type Database, isDatabaseUnavailable, type JobRecord } from '@aigolos/db';
import type { Jobs, Submitted } from '@aigolos/jobs';
import type { Media } from '@aigolos/media';
import { withBodyTerms } from '../../answers/body-terms.ts';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { type Prepared, submitOnce } from '../../answers/submit-once.ts';
import { checkOptions } from '../../answers/unsupported-options.ts';
import { chooseVoice } from '../../catalogue/choose-voice.ts';
import type { ModelDirectory } from '../../catalogue/model-directory.ts';
import { invalidFields } from '../../errors/invalid-fields.ts';
import { describeAudio } from '../../forms/describe-audio.ts';
import type { ReceivedForm } from '../../forms/receive-form.ts';
import { assertConversation } from '../conversations/assert-conversation.ts';
import type { WebhookEndpoints } from '../webhooks/webhook-endpoints.service.ts';

export interface VoiceTurnsDeps {
  jobs: Jobs;
  models: ModelDirectory;
  conversations: Pick<Database['conversations'], 'findOwned'>;
  endpoints: Pick<WebhookEndpoints, 'assertCallable'>;
  blobs: Pick<BlobStore, 'commit' | 'discard' | 'deleteRecord'>;
  media: Pick<Media, 'probe'>;
  maxSeconds: number;
}

interface VoiceTurnForm {
  file: SpooledFile;
  fields: VoiceTurnFields;
}

export interface VoiceTurns {
  /**
   * Begins a turn about a file that lies in the spool; takes care of the file from then on.
   * @throws where a field, the file, a model, the voice or the conversation cannot be served; nothing is left of it then.
   */
  submit(account: string, form: ReceivedForm, options: SubmissionOptions): Promise<Submitted<'voice-turn'>>;
  /** @throws NotFoundError where the account has no such turn. */
  get(account: string, id: string): Promise<JobRecord<'voice-turn'>>;
}

export function createVoiceTurns(deps: VoiceTurnsDeps): VoiceTurns {
  const { jobs, models, conversations, endpoints, blobs, media, maxSeconds } = deps;

  async function taskOf(id: string, { file, fields }: VoiceTurnForm): Promise<VoiceTurnTask> {
    const audio = await describeAudio(media, file, maxSeconds);
    const [{ model: listener }, { model: answerer }, speakers, all] = await Promise.all([
      models.find('asr', fields.transcription_model),
      models.find('llm', fields.model),
      models.find('tts', fields.speech_model),
      models.list(),
    ]);
    const { model: speaker, voice } = chooseVoice(speakers, all, fields.voice);
    const { language, prompt, instructions, max_completion_tokens: maxTokens, conversation } = fields;
    return {
      model: answerer.id,
      ...(instructions !== undefined && instructions !== '' && { instructions }),
      ...(maxTokens !== undefined && { maxTokens }),
      transcription: {
        model: listener.id,
        ...(language !== undefined && { language: language.split('-', 1)[0] }),
        ...(prompt !== undefined && prompt !== '' && { prompt }),
      },
      speech: { model: speaker.id, voice, format: fields.response_format, speed: fields.speed },
      audio: { blobKey: `${id}/input`, ...audio },
      ...(conversation !== undefined && { conversation }),
    };
  }

  async function submit(account: string, form: VoiceTurnForm, options: SubmissionOptions) {
    const { file, fields } = form;
    const { retention, metadata, priority, webhook_url, ...body } = fields;
    const warnings = checkOptions(fields, { known: VoiceTurnFieldsSchema.shape, refused: REFUSED });
    const inBody = { priority, webhook_url };
    const terms = await withBodyTerms(endpoints, { account, terms: options.terms }, inBody);
    const id = newId('voice-turn');
    let isStored = false;

    async function prepare(): Promise<Prepared<'voice-turn'>> {
      await assertConversation(conversations, account, fields.conversation);
      const task = await taskOf(id, form);
      isStored = true;
      await blobs.commit(file, task.audio.blobKey);
      return { id, task, warnings };
    }

    const said = { retention, metadata };
    const asked = { account, body, said, audio: file.sha256, options: { ...options, terms } };
    const submitted = await submitOnce(jobs, { kind: 'voice-turn', ...asked }, prepare).catch(
      async (error: unknown) => {
        // A write that the database did not answer may have taken effect; the sweep removes the file if it has not.
        if (isStored && !isDatabaseUnavailable(error)) await blobs.deleteRecord(id);
        throw error;
      },
    );
    // What is left of it in spite of an error, the sweep finds too.
    if (isStored && submitted.replayed) await blobs.deleteRecord(id).catch(() => {});
    return submitted;
  }

  return {
    async submit(account, form, options) {
      try {
        return await submit(account, readForm(form), options);
      } finally {
        await blobs.discard(form.file);
      }
    },
    async get(account, id) {
      const job = await jobs.get(account, id);
      if (job.kind === 'voice-turn') return job;
      throw new NotFoundError(`There is no voice turn ${id}.`, { code: 'JOB_NOT_FOUND' });
    },
  };
}

/** What would make the answer another one than the client reads. */
const REFUSED = {
  stream: 'is not supported for voice turns; GET /v1/jobs/{id}/events tells the answer while it is made',
};

function readForm({ file, fields }: ReceivedForm): VoiceTurnForm {
  const parsed = VoiceTurnFieldsSchema.safeParse(fields);
  if (parsed.success) return { file, fields: parsed.data };
  throw invalidFields(parsed.error.issues);
}
