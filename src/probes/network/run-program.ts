/** Runs a program of the system once: no shell, bounded output, ended when its time is up or the exporter stops. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { shown } from '../smtp-lines.js';
import { startProgram } from './program-thread.js';

export type ProgramRun = {
  /** undefined when it was ended by us. */
  readonly code: number | undefined;
  /** latin1: the Windows code page is unknown. */
  readonly output: string;
  readonly errors: string;
};

type RunOptions = {
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** Told each piece of output as it comes. */
  readonly onText?: ((text: string) => void) | undefined;
};

/** What ping and path have in common. */
export type ReportOptions = {
  readonly signal: AbortSignal;
  readonly now?: () => number;
  readonly onText?: RunOptions['onText'];
  readonly platform?: NodeJS.Platform;
  readonly find?: typeof findProgram;
  readonly run?: RunProgram;
};

/** Runs a program by its whole path, and the words are handed over as they are. Never throws. */
export type RunProgram = (file: string, words: readonly string[], options: RunOptions) => Promise<ProgramRun>;

/** More output than this is not kept: thirty hops take three. */
const maxOutput = 64 * 1024;

export const runProgram: RunProgram = (file, words, { limitMs, signal, onText }) =>
  new Promise((resolve) => {
    const texts = { output: '', errors: '' };
    let ended = false;
    // The words for the numbers differ from system to system; English ones at least read like the manual.
    const start = { file, words, env: { ...process.env, LC_ALL: 'C' }, mostText: maxOutput };
    const program = startProgram(start, {
      onText: (from, text) => {
        texts[from] += text;
        if (from === 'output') onText?.(text);
      },
      onEnd: (code) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve({ ...texts, code: ended ? undefined : (code ?? undefined) });
      },
    });
    const end = (): void => {
      ended = true;
      program.kill();
    };
    const timer = setTimeout(end, limitMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });

/** The folders in which programs of the network are looked for, the first first. */
export function programFolders(): readonly string[] {
  if (process.platform === 'win32') return [`${process.env.SystemRoot ?? 'C:\\Windows'}\\System32`];
  return [...(process.env.PATH ?? '').split(':').filter((folder) => path.isAbsolute(folder)), ...unixFolders];
}

/** Where programs of the network live beside PATH, which is short for services. */
const unixFolders: readonly string[] = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/local/sbin'];

/**
 * The whole path of a program; undefined when it is not installed. On Windows only System32 counts: a program of that
 * name in the current folder would be anybody's.
 */
export async function findProgram(name: string): Promise<string | undefined> {
  const isWindows = process.platform === 'win32';
  for (const folder of programFolders()) {
    const file = isWindows ? `${folder}\\${name}.exe` : `${folder}/${name}`;
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return undefined;
}

/** Does the system forbid it, rather than the network? Said in English because of LC_ALL; errno where it is printed. */
function isForbidden(errors: string): boolean {
  return /operation not permitted|permission denied|lacking privilege|are you root|must be root|\bEPERM\b|\bEACCES\b/i.test(
    errors,
  );
}

/** Why a run showed nothing, for its report: the first line that it printed. */
export function failureOf({ code, output, errors }: ProgramRun): { state: 'not_permitted' | 'failed'; detail: string } {
  const lines = `${errors}\n${output}`.split('\n').map((line) => line.trim());
  const detail = lines.find((line) => line !== '') ?? (code === undefined ? 'ended by us' : 'no output');
  return { state: isForbidden(errors) ? 'not_permitted' : 'failed', detail: shown(detail) };
}
