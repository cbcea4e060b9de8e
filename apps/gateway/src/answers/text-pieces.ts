const MOST_CHARACTERS = 16;

/** Cuts a text into the same pieces, however it comes. */
export interface TextPieces {
  /** Pieces that are whole by now. */
  push(text: string): string[];
  /** What is left. */
  end(): string[];
}

/** A piece ends with a word, and has at most 16 characters (code points). */
export function createTextPieces(): TextPieces {
  let piece = '';
  let characters = 0;
  return {
    push(text) {
      const whole: string[] = [];
      for (const character of text) {
        const wordEnded = /\s/.test(character) && /\S$/.test(piece);
        if (wordEnded || characters === MOST_CHARACTERS) {
          whole.push(piece);
          piece = '';
          characters = 0;
        }
        piece += character;
        characters += 1;
      }
      return whole;
    },
    end() {
      const rest = piece;
      piece = '';
      characters = 0;
      return rest === '' ? [] : [rest];
    },
  };
}
