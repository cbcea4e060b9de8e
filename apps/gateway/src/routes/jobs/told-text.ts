import { digestOf, type EventPosition } from '../../answers/event-position.ts';

/** A piece of a text, and where in it the piece begins. */
export interface ToldPiece {
  offset: number;
  delta: string;
}

/** Makes of what attempts of a job say one text for a client of whose earlier reading only the length and the digest are known. */
export interface ToldText {
  readonly position: Pick<EventPosition, 'units' | 'digest'>;
  /**
   * What of this piece is to be told, if anything. Where the text becomes another one than was told it begins anew, unless
   * the piece is of an attempt before `anewFrom`, which the client has left behind.
   */
  push(piece: { fence: number; text: string; offset?: number | undefined }, anewFrom: number): ToldPiece | undefined;
  /** What is left to be told of the whole text. */
  finish(text: string): ToldPiece | undefined;
  /** The pieces come again from the first. */
  restart(): void;
}

export function createToldText(
  from: Pick<EventPosition, 'units' | 'digest'> = { units: 0, digest: digestOf('') },
): ToldText {
  let { units, digest } = from;
  let fence = -1;
  let said = '';

  function tell(text: string, mayBeginAnew: boolean): ToldPiece | undefined {
    const goesOn = digestOf(text.slice(0, units)) === digest;
    if (!goesOn && !mayBeginAnew) return undefined;
    const offset = goesOn ? units : 0;
    const delta = text.slice(offset);
    if (delta === '') return undefined;
    units = text.length;
    digest = digestOf(text);
    return { offset, delta };
  }

  return {
    get position() {
      return { units, digest };
    },
    push(piece, anewFrom) {
      if (piece.fence < fence) return undefined;
      if (piece.fence > fence) said = '';
      fence = piece.fence;
      // What came before it was forgotten on the way: the end has all of it.
      if (piece.offset !== undefined && piece.offset !== said.length) return undefined;
      said += piece.text;
      // It may still become what was told.
      return said.length < units ? undefined : tell(said, piece.fence >= anewFrom);
    },
    finish: (text) => tell(text, true),
    restart() {
      fence = -1;
      said = '';
    },
  };
}
