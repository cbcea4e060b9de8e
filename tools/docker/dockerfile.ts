import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Copy, DockerfileParser, type Env, type From, type JSONInstruction } from 'dockerfile-ast';

export const ROOT = join(import.meta.dirname, '..', '..');

/** One stage of the Dockerfile with what it has from the stages it starts from. */
export interface Stage {
  name: string;
  env: Record<string, string>;
  user: string | undefined;
  /** The words of CMD and of ENTRYPOINT. */
  command: string[];
  entrypoint: string[];
  /** Does something tell whether it is well? */
  hasHealthcheck: boolean;
  /** What it copies from the build context, not from other stages. */
  copies: string[];
}

/** The named stages of the project's Dockerfile. */
export function readDockerfile(): Map<string, Stage> {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of DockerfileParser.parse(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).getInstructions()) {
    const words = instruction.getArguments().map((argument) => argument.getValue());
    if (instruction.getKeyword() === 'FROM') {
      const from = instruction as From;
      stage = startStage(from.getBuildStage() ?? '', stages.get(from.getImage() ?? ''));
      stages.set(stage.name, stage);
    }
    if (!stage) continue;
    switch (instruction.getKeyword()) {
      case 'ENV':
        for (const each of (instruction as Env).getProperties()) stage.env[each.getName()] = each.getValue() ?? '';
        break;
      case 'USER':
        stage.user = words[0];
        break;
      case 'CMD':
        stage.command = jsonWords(instruction as JSONInstruction);
        break;
      case 'ENTRYPOINT':
        stage.entrypoint = jsonWords(instruction as JSONInstruction);
        break;
      case 'HEALTHCHECK':
        stage.hasHealthcheck = words[0] !== 'NONE';
        break;
      case 'COPY':
        if ((instruction as Copy).getFlags().length === 0) stage.copies.push(...words.slice(0, -1));
        break;
    }
  }
  return stages;
}

function startStage(name: string, parent: Stage | undefined): Stage {
  if (parent) return { ...structuredClone(parent), name };
  return { name, env: {}, user: undefined, command: [], entrypoint: [], hasHealthcheck: false, copies: [] };
}

function jsonWords(instruction: JSONInstruction): string[] {
  return instruction.getJSONStrings().map((word) => word.getJSONValue());
}
