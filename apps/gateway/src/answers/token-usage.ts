/** What OpenAI's events count in tokens is counted here as Whisper hears: its encoder makes 1500 of 30 s. */
export const AUDIO_TOKENS_PER_SECOND = 50;
