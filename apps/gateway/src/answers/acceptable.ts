/** `type/subtype`, then parameters; of these only `q` counts. */
const RANGE = /^\s*([\w!#$&^.+*-]+)\/([\w!#$&^.+*-]+)\s*(?:;(.*))?$/;
const QUALITY = /(?:^|;)\s*q\s*=\s*([\d.]+)/i;

/**
 * Which of some media types an Accept header prefers (RFC 9110, section 12.5.1). Where it has no preference, such as in no
 * header, `*\/*`, or a list that ends with it, the first of them; undefined where it takes none.
 */
export function preferredType<Type extends string>(
  accept: string | undefined,
  offered: readonly Type[],
): Type | undefined {
  if (accept === undefined || accept.trim() === '') return offered[0];
  const ranges = accept.split(',').flatMap((range) => {
    const [, type = '', subtype = '', parameters = ''] = RANGE.exec(range.toLowerCase()) ?? [];
    return type === '' ? [] : [{ type, subtype, quality: Number(QUALITY.exec(parameters)?.[1] ?? 1) }];
  });
  const qualityOf = (offer: string) => {
    const [type, subtype] = offer.split('/');
    const exact = ranges.find((range) => range.type === type && range.subtype === subtype);
    const ofType = ranges.find((range) => range.type === type && range.subtype === '*');
    const any = ranges.find((range) => range.type === '*' && range.subtype === '*');
    return (exact ?? ofType ?? any)?.quality ?? 0;
  };
  const best = Math.max(...offered.map(qualityOf));
  return best > 0 ? offered.find((offer) => qualityOf(offer) === best) : undefined;
}
