import { LIMITS, SPEECH_FORMATS, TRANSCRIPTION_FORMATS } from '@aigolos/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ChatOptions } from '../calls/chat.ts';
import type { ResultOptions } from '../calls/result.ts';
import type { SpeakOptions } from '../calls/speak.ts';
import type { TranscribeOptions } from '../calls/transcribe.ts';
import type { TurnOptions } from '../calls/turn.ts';

const WRONG_USE = 2;

/** `aigolos transcribe|speak|chat|turn|result`: what any client may ask of a gateway. Loaded when asked for, each. */
export function addCallCommands(program: Command): void {
  addTranscribe(program);
  addSpeak(program);
  addChat(program);
  addTurn(program);
  call(program, 'result')
    .description('wait for a job that was submitted with --async, and print or save what came of it')
    .argument('<id>', 'such as trn_…')
    .option('-o, --output <file>', 'where the sound of a speech or of a turn goes; "-" is stdout')
    .action(async (id: string, options: ResultOptions) => (await import('../calls/result.ts')).result(id, options));
}

function addTranscribe(program: Command): void {
  submitting(call(program, 'transcribe'))
    .description('print what is said in audio files')
    .argument('<files...>', 'in any format that ffmpeg reads; "-" is what is piped in')
    .option('--model <name>', 'which recogniser', 'whisper-1')
    .option('--language <code>', 'what is spoken, such as en; found out where absent')
    .addOption(new Option('--format <format>', 'how it is written').choices(TRANSCRIPTION_FORMATS).default('text'))
    .action(async (files: string[], options: TranscribeOptions) => {
      const { transcribe } = await import('../calls/transcribe.ts');
      await transcribe(files, options);
    });
}

function addSpeak(program: Command): void {
  submitting(call(program, 'speak'))
    .description('have a text spoken')
    .argument('[text...]', '"-" is what is piped in')
    .option('-f, --file <file>', 'speak what stands in it')
    .option('-o, --output <file>', 'where the sound goes; to stdout where it is piped on')
    .option('--model <name>', 'which engine', 'tts-1')
    .option('--voice <name>', 'whose voice', 'alloy')
    .option('--speed <factor>', `${LIMITS.speedMin} to ${LIMITS.speedMax}`, numberOf)
    .addOption(new Option('--format <format>', "as the output's name says, or mp3").choices(SPEECH_FORMATS))
    .action(async (text: string[], options: SpeakOptions) => (await import('../calls/speak.ts')).speak(text, options));
}

function addChat(program: Command): void {
  submitting(call(program, 'chat'))
    .description('have a message answered')
    .argument('<message...>', '"-" is what is piped in')
    .option('--model <name>', 'which model', 'gpt-4o')
    .option('--system <text>', 'what it is told beforehand')
    .option('--conversation <id>', 'go on with it; "new" begins one')
    .addOption(new Option('--stream', 'print the answer while it is made').conflicts('async'))
    .action(async (message: string[], options: ChatOptions) =>
      (await import('../calls/chat.ts')).chat(message, options),
    );
}

function addTurn(program: Command): void {
  submitting(call(program, 'turn'))
    .description('have what is said in an audio file answered, in words and as sound')
    .argument('<file>', 'in any format that ffmpeg reads; "-" is what is piped in')
    .option('-o, --output <file>', 'where the spoken answer goes; "-" is stdout')
    .option('--conversation <id>', 'go on with it; "new" begins one')
    .option('--model <name>', 'which model answers')
    .option('--system <text>', 'what it is told beforehand')
    .option('--language <code>', 'what is spoken, such as en; found out where absent')
    .option('--voice <name>', 'whose voice answers')
    .option('--speed <factor>', `${LIMITS.speedMin} to ${LIMITS.speedMax}`, numberOf)
    .addOption(new Option('--format <format>', "as the output's name says, or mp3").choices(SPEECH_FORMATS))
    .action(async (file: string, options: TurnOptions) => (await import('../calls/turn.ts')).turn(file, options));
}

/** Wrong use ends with a code of its own, so that scripts can tell it from a job that failed. */
function call(program: Command, name: string): Command {
  return program
    .command(name)
    .option('--url <url>', 'of the gateway; AIGOLOS_URL, or the local one', urlOf)
    .option('--key <key>', 'of an account; AIGOLOS_API_KEY, or that of the local installation')
    .option('--json', 'for machines')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USE));
}

function submitting(command: Command): Command {
  return command.option('--async', 'print the id of the job, and do not wait for its end');
}

function urlOf(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw new InvalidArgumentError('It must be an address such as http://127.0.0.1:8787.');
}

function numberOf(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('It must be a number.');
}
