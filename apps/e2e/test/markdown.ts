/** A fenced block of a document. */
export interface Block {
  language: string;
  /** The name after the language. */
  file: string | undefined;
  lines: string[];
  /** Where it begins, counted from 1. */
  line: number;
  /** Of a console: the commands, each with what is printed from there on. */
  steps(): Step[];
}

export interface Step {
  command: string;
  expected: string[];
  line: number;
}

const FENCE = /^```(\S*) *(\S*)$/;
const PROMPT = '$ ';

export function readBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; file: string | undefined; line: number; lines: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    const fence = FENCE.exec(text);
    if (fence && open) {
      const { lines, line } = open;
      blocks.push({ ...open, steps: () => readSteps(lines, line) });
      open = undefined;
    } else if (fence) open = { language: fence[1] ?? '', file: fence[2] || undefined, line: index + 1, lines: [] };
    else open?.lines.push(text);
  }
  if (open) throw new Error(`the block that begins in line ${open.line} does not end`);
  return blocks;
}

function readSteps(lines: string[], firstLine: number): Step[] {
  const steps: Step[] = [];
  let goesOn = false;
  for (const [index, text] of lines.entries()) {
    const step = steps.at(-1);
    if (goesOn && step) step.command += `\n${text}`;
    else if (text.startsWith(PROMPT)) {
      steps.push({ command: text.slice(PROMPT.length), expected: [], line: firstLine + index + 1 });
    } else if (step) step.expected.push(text);
    else throw new Error(`line ${firstLine + index + 1} is printed by no command`);
    goesOn = (goesOn || text.startsWith(PROMPT)) && text.endsWith('\\');
  }
  return steps;
}
