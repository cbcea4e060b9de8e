import type { Case, RouteCases } from '../../apps/e2e/compat/case.ts';
import { jobHeaders, ROUTES, WORK_ROUTES } from '../../apps/e2e/compat/cases/index.ts';

const INTRODUCTION = `# What of OpenAI's API is here

<!-- Written by \`npm run docs\` from apps/e2e/compat/cases, each of which the compatibility suite tries; do not edit. -->

Any OpenAI client works with \`baseURL\` and \`apiKey\` changed. The suite sends each line below by OpenAI's client for Node to a running
system and holds the answers to OpenAI's own schemas; OpenAI's client for Python, Vercel's AI SDK and LangChain do what their users do
most. *Supported*: it does what OpenAI says. *Ignored*: the answer comes without it, and the header \`X-Warnings\` and the job's
\`warnings\` name it. *Refused*: a 400 that names it, because the answer would not be the one that the client reads. A value that
asks for nothing (\`null\`, \`false\`, \`0\`, an empty list) is neither.
`;

const cell = (text = '') => text.replaceAll('|', '\\|');
const row = ({ parameter, value, support, note }: Case) => {
  const name = parameter === '' ? '' : `\`${parameter}\`${value === undefined ? '' : ` ${value}`}`;
  return `| ${cell(name)} | ${support} | ${cell(note)} |`;
};
const table = (cases: Case[]) => `| parameter | | |\n|---|---|---|\n${cases.map(row).join('\n')}\n`;
const section = ({ route, cases }: RouteCases) => `\n## ${route.replace(' ', ' /v1')}\n\n${table(cases)}`;

/** The page docs/openai-compatibility.md. */
export function compatibilityPage(): string {
  const works = WORK_ROUTES.map(({ route }) => `\`${route.replace(' ', ' /v1')}\``).join(', ');
  const headers = `\n## Headers of every POST that makes work\n\nOurs, on ${works}:\n\n${table(jobHeaders)}`;
  return INTRODUCTION + ROUTES.map(section).join('') + headers;
}
