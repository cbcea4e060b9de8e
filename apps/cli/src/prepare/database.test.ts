import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordingReporter, temporaryConfig, temporaryFolder, writeProgram } from '../stub.fake.ts';
import { planDatabase } from './database.ts';

const NOWHERE = { MONGOMS_DOWNLOAD_MIRROR: 'https://nowhere.invalid' };

describe('planDatabase', () => {
  it('takes the given server before any other', async () => {
    const bin = await temporaryFolder();
    await writeProgram(bin, 'mongod', '');
    const url = 'mongodb://db.example:27017/aigolos';
    const plan = await planDatabase(await temporaryConfig({ MONGO_URL: url, PATH: bin }), recordingReporter());
    expect(plan).toEqual({ kind: 'given', url });
  });

  it("takes the machine's mongod before it downloads one", async () => {
    const bin = await temporaryFolder();
    const program = await writeProgram(bin, 'mongod', '');
    const config = await temporaryConfig({ PATH: bin, ...NOWHERE });
    const dataDir = join(config.paths.home, 'mongodb');
    expect(await planDatabase(config, recordingReporter())).toEqual({ kind: 'mongod', program, dataDir });
  });

  it('falls back to SecantusDB at once where mongod cannot be downloaded, and says what that is', async () => {
    const config = await temporaryConfig({ ...NOWHERE, ...usersCache() });
    const reporter = recordingReporter();
    const plan = await planDatabase(config, reporter);
    expect(plan.kind).toBe('secantusdb');
    expect(reporter.lines.join()).toMatch(/SecantusDB \(GPL-2.0.*no place for data you must keep/);
  });

  it('stays with the server whose data are there', async () => {
    const bin = await temporaryFolder();
    await writeProgram(bin, 'mongod', '');
    const config = await temporaryConfig({ PATH: bin, ...usersCache() });
    await mkdir(join(config.paths.home, 'secantusdb'), { recursive: true });
    expect((await planDatabase(config, recordingReporter())).kind).toBe('secantusdb');
  });

  it('refuses to begin anew in silence where the data need a mongod that is gone', async () => {
    const config = await temporaryConfig(NOWHERE);
    await mkdir(join(config.paths.home, 'mongodb'), { recursive: true });
    await expect(planDatabase(config, recordingReporter())).rejects.toThrow(/need mongod.*npm run reset/);
  });
});

/** The environment that `npm test` prepares; made anew in each test it would take half a minute. */
function usersCache(): Record<string, string> {
  return { XDG_CACHE_HOME: '' };
}
