import type { Token } from 'node-llama-cpp';

/** As many tokens as any character needs; more of them are no unfinished character, however they look. */
const MAX_TOKENS_OF_A_CHARACTER = 16;
/** How far back the tokenizer has to see to space the next word right. */
const TAIL_TOKENS = 8;

export interface TokenText {
  /** Takes the next token; returns the whole characters that are new with it, often none. */
  push(token: Token): string;
  /** No more tokens come: returns what is left, without an unfinished character. */
  end(): string;
}

/** Turns tokens into text without ever breaking a character whose bytes are spread over several tokens. */
export function createTokenText(
  detokenize: (tokens: readonly Token[], specialTokens: false, lastTokens: readonly Token[]) => string,
): TokenText {
  let pending: Token[] = [];
  let tail: Token[] = [];
  return {
    push(token) {
      pending.push(token);
      const text = detokenize(pending, false, tail);
      if (text.endsWith('\uFFFD') && pending.length < MAX_TOKENS_OF_A_CHARACTER) return '';
      tail = [...tail, ...pending].slice(-TAIL_TOKENS);
      pending = [];
      return text;
    },
    end() {
      const text = pending.length === 0 ? '' : detokenize(pending, false, tail);
      pending = [];
      return text.replace(/\uFFFD+$/, '');
    },
  };
}
