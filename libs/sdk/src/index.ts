export type { ChatStream } from './chat-stream.ts';
export * from './client.ts';
export * from './ended-job.ts';
export * from './errors.ts';
export type { EventsOptions, JobEvent } from './events.ts';
export type { JobHandle } from './job-handle.ts';
export type { JobDeleted, Jobs, ListOptions } from './jobs.ts';
export type * from './params.ts';
export type {
  FormOptions,
  ResultForm,
  ResultForms,
  ResultKind,
  Results,
  SpeechForms,
  Transcript,
  TranscriptFormat,
  TranscriptForms,
  TranscriptIn,
  VoiceTurnForms,
} from './results.ts';
export type { SubmitOptions } from './submission.ts';
export type { CallOptions, ClientOptions } from './transport.ts';
export type { UploadFile, UploadProgress } from './upload.ts';
