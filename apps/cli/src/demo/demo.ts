import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type JobView, JobViewSchema } from '@aigolos/contracts';
import { wordErrorRate } from '@aigolos/engines/asr';
import OpenAI from 'openai';

export interface DemoOptions {
  /** The gateway, without /v1. */
  url: string;
  apiKey: string;
  audioFile: string;
  /** What the audio says, where that is known. */
  reference?: string;
  /** Where the spoken answer goes (mp3). */
  speechFile: string;
  onStep: (line: string) => void;
}

export interface DemoReport {
  transcript: string;
  wordErrorRate: number | null;
  turns: { question: string; answer: string }[];
  conversation: string;
  speechFile: string;
  /** What the recogniser heard in the spoken answer. */
  heardAgain: string;
  wordsInCommon: string[];
  jobs: { id: string; kind: string; status: string; model: string | null; seconds: number; engineSeconds: number }[];
  passed: boolean;
}

const MAX_WORD_ERROR_RATE = 0.1;
const ANSWER_TOKENS = 80;

/** A whole voice turn through the official client: speech to text, two turns of a conversation, text to speech, and back. */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { url, apiKey, audioFile, reference, speechFile, onStep } = options;
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
  const timed: { id: string; seconds: number }[] = [];
  const time = async <T extends { response: Response }>(call: Promise<T>): Promise<T> => {
    const begun = performance.now();
    const answered = await call;
    const seconds = (performance.now() - begun) / 1_000;
    timed.push({ id: answered.response.headers.get('x-job-id') ?? '', seconds });
    return answered;
  };

  const transcribe = async (file: string) =>
    client.audio.transcriptions.create({ file: createReadStream(file), model: 'whisper-1' }).withResponse();

  const heard = await time(transcribe(audioFile));
  const transcript = heard.data.text;
  onStep(`heard   ${transcript}`);

  const turns: DemoReport['turns'] = [];
  let conversation = 'new';
  const ask = async (question: string) => {
    const request = {
      model: 'gpt-4o-mini',
      messages: [{ role: 'user' as const, content: question }],
      max_tokens: ANSWER_TOKENS,
      temperature: 0,
      conversation,
    };
    const reply = await time(client.chat.completions.create(request).withResponse());
    const { choices, conversation: used } = reply.data as typeof reply.data & { conversation: { id: string } };
    conversation = used.id;
    const answer = choices[0]?.message.content ?? '';
    turns.push({ question, answer });
    onStep(`asked   ${question}`);
    onStep(`answer  ${answer}`);
    return answer;
  };
  const answer = await ask(`What is the speaker asking for here? "${transcript}"`);
  await ask('What did I just ask?');

  const speech = await time(
    client.audio.speech
      .create({ model: 'tts-1', voice: 'alloy', input: answer, response_format: 'mp3' })
      .withResponse(),
  );
  await writeFile(speechFile, new Uint8Array(await speech.data.arrayBuffer()));
  onStep(`spoken  ${speechFile}`);

  const heardAgain = (await transcribe(speechFile)).data.text;
  onStep(`again   ${heardAgain}`);
  const wordsInCommon = [...wordsOf(answer).intersection(wordsOf(heardAgain))];
  const rate = reference === undefined ? null : wordErrorRate(reference, transcript);
  return {
    transcript,
    wordErrorRate: rate,
    turns,
    conversation,
    speechFile,
    heardAgain,
    wordsInCommon,
    jobs: await Promise.all(
      timed.map(async ({ id, seconds }) => {
        const { kind, status, model, usage } = await getJob(url, apiKey, id);
        return { id, kind, status, model, seconds, engineSeconds: (usage?.compute_ms ?? 0) / 1_000 };
      }),
    ),
    passed: (rate === null || rate <= MAX_WORD_ERROR_RATE) && wordsInCommon.length > 0,
  };
}

async function getJob(url: string, apiKey: string, id: string): Promise<JobView> {
  const response = await fetch(`${url}/v1/jobs/${id}`, { headers: { authorization: `Bearer ${apiKey}` } });
  return JobViewSchema.parse(await response.json());
}

/** The words of a text that say something: no single letters. */
function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}']{2,}/gu));
}
