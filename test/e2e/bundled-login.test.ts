/** The single script that goes into the Windows program: its worker threads have bcrypt, though no package is there. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import bcrypt from 'bcryptjs';
import { expect, onTestFinished, test } from 'vitest';
import { bundle } from '../../packaging/bundle.mjs';
import { startExporter } from '../support/exporter.js';
import { temporaryFolder } from '../support/folder.js';

test('a password is checked by the bundled program', async () => {
  const folder = await temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  await writeFile(file('program.cjs'), await bundle());
  await writeFile(file('events.ndjson'), '');
  await writeFile(file('web.yml'), `basic_auth_users: { prometheus: "${bcrypt.hashSync('open sesame', 5)}" }\n`);
  const exporter = await startExporter({
    program: file('program.cjs'),
    files: [file('events.ndjson')],
    args: ['--no-probe', `--web.config.file=${file('web.yml')}`],
  });
  onTestFinished(() => exporter.kill9());
  const status = async (text: string): Promise<number> => {
    const headers = { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
    return (await fetch(new URL('/metrics', exporter.url), { headers })).status;
  };
  expect(await status('prometheus:open sesame')).toBe(200);
  expect(await status('prometheus:guess')).toBe(401);
}, 60_000);
