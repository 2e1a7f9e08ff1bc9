/** blackbox_exporter beside ours on every server of the table: where it says 0, ours does, but for a list of warnings. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../src/commands/demo/free-port.js';
import { findProgram } from '../support/programs.js';
import { playScript } from './scripted-server.js';
import { answersToEhlo, answersToStartTls, greetings } from './servers/before-tls.js';
import { trusted } from './servers/certificates.js';
import { scriptOf, type Row } from './servers/talk.js';
import { handshakes, insideTls, shownCertificates } from './servers/with-tls.js';

const program = findProgram('prometheus-blackbox-exporter', 'blackbox_exporter');
const rows = [greetings, answersToEhlo, answersToStartTls, handshakes, shownCertificates, insideTls].flat();

/**
 * Where blackbox_exporter says 0 and the visit of a connector without a rule for TLS passes with a warning: it demands TLS and
 * checks the certificate, such a connector does neither. docs/blackbox.md explains the same list.
 */
const withoutRule: Readonly<Record<string, readonly string[]>> = {
  starttls: ['starttls_not_offered', 'starttls_rejected', 'not_smtp', 'timeout', 'closed_by_remote', 'reset'],
  tls: [
    ...['tls_handshake', 'timeout', 'closed_by_remote', 'reset', 'certificate_expired', 'certificate_not_yet_valid'],
    ...['certificate_untrusted', 'certificate_name_mismatch'],
  ],
};

/** Where it says 1 and ours fails: it looks for a line that fits, ours at whole replies. */
const stricter: readonly string[] = [
  ...[
    '554, then 220',
    '220, then 554',
    'a greeting twice',
    'a greeting and 554',
    'a line too long',
    'lines without end',
  ],
  ...['220 with no space', 'an answer that never ends', 'two answers at once', 'an answer and a refusal at once'],
  ...['a refusal and an answer at once', 'codes that differ', 'STARTTLS in the first line only'],
  ...['220 and a reply slipped in', '220 and half a line', 'behind RSA of 512 bits', 'RSA of 1024 bits'],
  ...['two answers inside', 'codes that differ inside', 'two answers to QUIT'],
];

/** Where it says 0 and ours passes whatever the connector demands: what Go does not know and OpenSSL does. */
const unknownToGo: readonly string[] = [
  ...['DHE alone', 'CBC with SHA-256 alone', 'an authority with a brainpool key', 'an authority with a key of Ed448'],
  ...['signed with SHA-224', 'an issuer that inhibits the policy for all', 'a policy where its issuer requires one'],
  'no policy where an issuer requires one farther down',
];

/** STARTTLS as the example configuration of blackbox_exporter has it, with the certificate checked. */
const configuration = `
modules:
  smtp_starttls:
    prober: tcp
    timeout: 4s
    tcp:
      tls_config: { ca_file: CA, server_name: mail.contoso.example }
      query_response:
        - expect: "^220"
        - send: "EHLO probe.contoso.example\\r"
        - expect: "^250[ -](?i:STARTTLS)"
        - send: "STARTTLS\\r"
        - expect: "^220"
        - starttls: true
        - send: "EHLO probe.contoso.example\\r"
        - expect: "^250"
        - send: "QUIT\\r"
`;

let blackbox: ChildProcess;
let folder: string;
let url: string;

async function successOf({ talk }: Row): Promise<number> {
  const server = await playScript(scriptOf(talk));
  try {
    const answer = await fetch(`${url}/probe?module=smtp_starttls&target=${server.destination}`);
    return Number(/^probe_success (\d)$/m.exec(await answer.text())?.[1]);
  } finally {
    await server.close();
  }
}

it('the documented list names every warning of this one', async () => {
  const page = await readFile('docs/blackbox.md', 'utf8');
  for (const [step, reasons] of Object.entries(withoutRule)) {
    const lines = page.split('\n').filter((line) => line.startsWith(`| \`${step}\``));
    for (const reason of reasons) expect(lines.join('\n')).toContain(`\`${reason}\``);
  }
});

describe.skipIf(program === undefined)('blackbox_exporter beside ours', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blackbox-'));
    await writeFile(join(folder, 'ca.pem'), trusted);
    await writeFile(join(folder, 'blackbox.yml'), configuration.replace('CA', join(folder, 'ca.pem')));
    const port = await freePort(0);
    url = `http://127.0.0.1:${port}`;
    blackbox = spawn(program!, [`--config.file=${folder}/blackbox.yml`, `--web.listen-address=127.0.0.1:${port}`], {
      stdio: 'ignore',
    });
    await vi.waitFor(
      async () => {
        expect((await fetch(`${url}/-/healthy`)).ok).toBe(true);
      },
      { timeout: 20_000 },
    );
  }, 30_000);

  afterAll(async () => {
    const ended = once(blackbox, 'close');
    blackbox.kill();
    await ended;
    await rm(folder, { recursive: true });
  });

  it('where it says 0 ours fails with a rule for TLS, and without one fails or gives a listed warning', async () => {
    const verdicts = new Map<string, number>();
    for (let first = 0; first < rows.length; first += 12) {
      const some = rows.slice(first, first + 12);
      const found = await Promise.all(some.map((row) => successOf(row)));
      some.forEach(({ what }, at) => verdicts.set(what, found[at] ?? NaN));
    }
    expect([...verdicts].filter(([, verdict]) => verdict !== 0 && verdict !== 1)).toEqual([]);
    const bad = rows.filter(({ what }) => verdicts.get(what) === 0);
    const good = rows.filter(({ what }) => verdicts.get(what) === 1);
    const passing = bad.filter(({ strict }) => !strict.startsWith('fails')).map(({ what }) => what);
    expect(passing.toSorted()).toEqual(unknownToGo.toSorted());
    const warned = bad.filter(({ open }) => open.startsWith('warns')).map(({ open }) => open);
    const listed = Object.entries(withoutRule).flatMap(([step, reasons]) =>
      reasons.map((each) => `warns ${step} ${each}`),
    );
    expect([...new Set(warned)].toSorted()).toEqual(listed.toSorted());
    const alone = good.filter(({ strict }) => strict.startsWith('fails')).map(({ what }) => what);
    expect(alone.filter((what) => !stricter.includes(what))).toEqual([]);
    expect(bad.length).toBeGreaterThan(70);
    expect(good.length).toBeGreaterThan(15);
  }, 150_000);
});
