/**
 * The share of words that are wrong: the fewest words that must be replaced, left out or put in to make one text of the
 * other, by the words of the reference. Case and punctuation do not count.
 */
export function wordErrorRate(reference: string, heard: string): number {
  const expected = wordsOf(reference);
  const found = wordsOf(heard);
  let above = found.map((_, index) => index + 1);
  let corner = 0;
  for (const [row, word] of expected.entries()) {
    let left = row + 1;
    corner = row;
    above = above.map((up, column) => {
      left = Math.min(up + 1, left + 1, corner + (word === found[column] ? 0 : 1));
      corner = up;
      return left;
    });
  }
  return (above.at(-1) ?? expected.length) / Math.max(1, expected.length);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}
