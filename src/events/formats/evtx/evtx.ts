/** The binary log of Windows (.evtx): live, archived or exported, from its own computer or a collector. */
import type { BinaryFormat } from '../format.js';
import { readPass } from './pass.js';

export const evtx: BinaryFormat = {
  name: 'evtx',
  kind: 'binary',
  recognises: (head) => head.length >= 8 && head.toString('latin1', 0, 8) === 'ElfFile\0',
  pass: (file, position, wanted) => readPass(file, position, wanted),
};
