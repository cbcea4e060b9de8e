import type {
  ChatCompletionRequestSchema,
  SpeechRequestSchema,
  TranscriptionFieldsSchema,
  VoiceTurnFieldsSchema,
} from '@aigolos/contracts';
import type { z } from 'zod';
import type { TranscriptFormat } from './results.ts';
import type { UploadFile, UploadProgress } from './upload.ts';

/** The named fields of a request: the service takes others too, which would hide a misspelt name here. */
type Named<Body> = { [Name in keyof Body as string extends Name ? never : Name]: Body[Name] };

/** A file that is sent with a request. */
export interface FileParams {
  file: UploadFile;
  /** The name of a `File` where absent. It decides nothing: the content does. */
  fileName?: string;
  /** How far the upload is; from zero again where it is sent anew. */
  onProgress?: (progress: UploadProgress) => void;
}

type TranscriptionFields = Named<z.input<typeof TranscriptionFieldsSchema>>;
/** What `transcriptions.submit` and `translations.submit` take: the fields of `POST /v1/audio/transcriptions`. */
export interface TranscriptionParams<Format extends TranscriptFormat = TranscriptFormat>
  extends FileParams,
    Omit<TranscriptionFields, 'response_format' | 'temperature' | 'retention' | 'stream' | 'chunking_strategy'> {
  response_format?: Format;
  temperature?: number;
}

/** What `speech.submit` takes: the fields of `POST /v1/audio/speech`. */
export type SpeechParams = Omit<Named<z.input<typeof SpeechRequestSchema>>, 'retention' | 'stream_format'>;

/** What `chat.submit` and `chat.stream` take: the fields of `POST /v1/chat/completions`. */
export type ChatParams = Omit<
  Named<z.input<typeof ChatCompletionRequestSchema>>,
  'retention' | 'stream' | 'stream_options' | 'metadata'
>;

type VoiceTurnFields = Named<z.input<typeof VoiceTurnFieldsSchema>>;
/** What `voiceTurns.submit` takes: the fields of `POST /v1/voice/turns`. */
export interface VoiceTurnParams
  extends FileParams,
    Omit<VoiceTurnFields, 'speed' | 'max_completion_tokens' | 'retention' | 'priority' | 'webhook_url' | 'metadata'> {
  speed?: number;
  max_completion_tokens?: number;
}
