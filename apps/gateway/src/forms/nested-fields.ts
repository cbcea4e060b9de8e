/** A form's fields with those named `outer[inner]` as an object `outer`, as OpenAI's clients write objects into forms. */
export function nestedFields(fields: Record<string, string | string[]>): Record<string, unknown> {
  const nested: Record<string, unknown> = Object.create(null) as Record<string, never>;
  for (const [name, value] of Object.entries(fields)) {
    const { outer, inner } = /^(?<outer>\w+)\[(?<inner>\w+)\]$/.exec(name)?.groups ?? {};
    if (outer === undefined || inner === undefined) nested[name] = value;
    else nested[outer] = { ...(nested[outer] as object | undefined), [inner]: value };
  }
  return nested;
}
