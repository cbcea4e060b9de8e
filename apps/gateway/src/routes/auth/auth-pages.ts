export interface Page {
  title: string;
  message: string;
  links?: { text: string; href: string }[];
  /** A button that posts to this path. */
  button?: { text: string; action: string };
}

/** A page without scripts. */
export function htmlPage({ title, message, links = [], button }: Page): string {
  const items = links.map(({ text, href }) => `<p><a href="${escaped(href)}">${escaped(text)}</a></p>`);
  const form = button
    ? `<form method="post" action="${escaped(button.action)}"><button>${escaped(button.text)}</button></form>`
    : '';
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)} · AIGolos</title></head>
<body style="font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem">
<h1>${escaped(title)}</h1>
<p>${escaped(message)}</p>
${form}${items.join('\n')}
</body>
</html>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
