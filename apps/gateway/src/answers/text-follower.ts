/** Puts together what attempts of a job say into one text that only grows, as a client that has read a part of it needs. */
export interface TextFollower {
  /** What of this piece is new to the client; undefined when it contradicts what was sent. */
  push(piece: { fence: number; text: string; offset?: number | undefined }): string | undefined;
  /** What is new in all of the text that there is by now; undefined when it contradicts what was sent. */
  whole(text: string): string | undefined;
  /** What is left of the whole text; undefined when it contradicts what was sent. */
  finish(text: string): string | undefined;
  /** The pieces come again from the first. */
  restart(): void;
}

/** A later attempt (a higher fence) begins the text anew: what it repeats is left out, pieces of earlier attempts are too late. */
export function createTextFollower(): TextFollower {
  let sent = '';
  let fence = -1;
  let said = '';

  const advance = (text: string): string | undefined => {
    if (sent.startsWith(text)) return '';
    if (!text.startsWith(sent)) return undefined;
    const added = text.slice(sent.length);
    sent = text;
    return added;
  };
  return {
    push(piece) {
      if (piece.fence < fence) return '';
      if (piece.fence > fence) said = '';
      fence = piece.fence;
      // What came before it was lost on the way: the end has all of it.
      if (piece.offset !== undefined && piece.offset !== said.length) return '';
      said += piece.text;
      return advance(said);
    },
    whole: advance,
    finish: (text) => (text.startsWith(sent) ? advance(text) : undefined),
    restart() {
      fence = -1;
      said = '';
    },
  };
}
