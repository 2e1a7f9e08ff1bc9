/** Calls into libraries of Windows. The only file that knows koffi. */

import type koffiModule from 'koffi';

type Koffi = typeof koffiModule;

/** @throws when the package is not there: it is optional, for only Windows needs it */
export async function loadKoffi(): Promise<Koffi> {
  const { default: koffi } = await import('koffi').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the package koffi cannot be loaded (${why}); install it beside the exporter: npm install koffi`);
  });
  return koffi;
}

/** Text as Windows takes it: UTF-16 with a zero at its end. */
export function wideText(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le');
}

/** Reads such a text from where it begins in a buffer. */
export function wideTextAt(buffer: Buffer, at: number): string {
  let end = at;
  while (end + 1 < buffer.length && buffer.readUInt16LE(end) !== 0) end += 2;
  return buffer.toString('utf16le', at, end);
}

/** CSIDL_COMMON_APPDATA of shlobj.h. */
const commonAppData = 0x23;

/** `C:\ProgramData`, as Windows itself says: the environment of a service may say something else. */
export async function programData(): Promise<string> {
  const library = (await loadKoffi()).load('shell32.dll');
  const ask = library.func('int __stdcall SHGetFolderPathW(void *, int, void *, uint32, void *)');
  const answer = Buffer.alloc(2 * 260);
  const code = ask(null, commonAppData, null, 0, answer) as number;
  return code === 0 ? wideTextAt(answer, 0) : (process.env.ProgramData ?? 'C:\\ProgramData');
}
