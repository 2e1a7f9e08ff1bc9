/** The manual page, made of what the program says itself with --help. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** @param script the program as one script @returns roff for man(7) */
export async function manualPage(script) {
  const folder = await mkdtemp(path.join(tmpdir(), 'manual-'));
  try {
    const program = path.join(folder, 'program.cjs');
    await writeFile(program, script);
    const help = execFileSync(process.execPath, [program, '--help'], { encoding: 'utf8', env: { COLUMNS: '78' } });
    return [
      '.TH SEND-CONNECTOR-EXPORTER 1',
      '.SH NAME',
      'send\\-connector\\-exporter \\- Prometheus exporter for Send connectors of Microsoft Exchange',
      '.SH DESCRIPTION',
      ...asItStands(help),
      '.PP',
      'Each command has flags of its own: send\\-connector\\-exporter COMMAND \\-\\-help.',
      '.SH FILES',
      '.TP',
      '.I /etc/send\\-connector\\-exporter/config.yml',
      'The configuration that the service reads.',
      '.TP',
      '.I /var/lib/send\\-connector\\-exporter',
      'Counts and positions in the logs.',
      '',
    ].join('\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function asItStands(text) {
  const lines = text.trimEnd().split('\n');
  // A point or an apostrophe at the start of a line would be an instruction.
  const safe = lines.map((line) =>
    line
      .replaceAll('\\', '\\e')
      .replaceAll('-', '\\-')
      .replace(/^(?=[.'])/, '\\&'),
  );
  return ['.nf', ...safe, '.fi'];
}
