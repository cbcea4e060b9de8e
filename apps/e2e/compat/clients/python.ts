import { join } from 'node:path';
import { audioClip, clientsProgram } from '@aigolos/testing';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import type { Stack } from '../../test/stack.ts';
import { errorCases, type Prepared } from '../error-cases.ts';

/** The official client for Python: the tests of `client_test.py`, which get what they need on their standard input. */
export function describePython(house: () => { stack: Stack; prepared: Prepared }): void {
  describe("OpenAI's client for Python", () => {
    test('keeps all tests of client_test.py', async () => {
      const { stack, prepared } = house();
      const given = {
        base_url: `${stack.url}/v1`,
        api_key: stack.apiKey,
        clip: audioClip('count'),
        errors: errorCases(prepared),
      };
      const script = join(import.meta.dirname, 'client_test.py');
      const run = await execa(clientsProgram('python'), [script, '--verbose'], {
        input: JSON.stringify(given),
        reject: false,
        all: true,
      });
      expect(run.exitCode, run.all).toBe(0);
      expect(run.all).toMatch(/^Ran [1-9]\d* tests/m);
    });
  });
}
