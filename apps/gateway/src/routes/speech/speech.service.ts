import { type SpeechRequest, SpeechRequestSchema } from '@aigolos/contracts';
import type { Jobs, Submitted } from '@aigolos/jobs';
import type { SubmissionOptions } from '../../answers/submission-options.ts';
import { submitOnce } from '../../answers/submit-once.ts';
import { checkOptions } from '../../answers/unsupported-options.ts';
import { chooseVoice } from '../../catalogue/choose-voice.ts';
import type { ModelDirectory } from '../../catalogue/model-directory.ts';

export interface SpeechDeps {
  jobs: Jobs;
  models: ModelDirectory;
}

export interface Speech {
  /** Has a text spoken. @throws where the model or the voice is not known. */
  submit(account: string, request: SpeechRequest, options: SubmissionOptions): Promise<Submitted<'speech'>>;
}

export function createSpeech({ jobs, models }: SpeechDeps): Speech {
  return {
    async submit(account, request, options) {
      const warnings = checkOptions(request, { known: SpeechRequestSchema.shape, refused: {} });
      if (request.instructions) warnings.push('Ignored, because the voices here do not follow them: instructions.');
      const { retention } = request;
      const asked = { kind: 'speech', account, body: request, said: { retention }, options } as const;
      return submitOnce(jobs, asked, async () => {
        const found = await models.find('tts', request.model);
        const name = typeof request.voice === 'string' ? request.voice : request.voice.id;
        const { model, voice } = chooseVoice(found, await models.list(), name);
        const { input, response_format: format, speed } = request;
        return { task: { model: model.id, voice, input, format, speed }, warnings };
      });
    },
  };
}
