/** Files, folders and globs as a kind of source. */
import os from 'node:os';
import * as z from 'zod';
import { fileName, hostName, list, mapping, yesOrNo } from '../../../config/forms.js';
import type { SourceKind } from '../source.js';
import type { FileSource } from './followed.js';

const type = 'file';
const settings = mapping({
  type: z.literal(type),
  paths: list(fileName('File, folder or glob.'), 'a list of files, folders or globs', 1),
  server: hostName('Server that wrote the files; only for files that do not name it (transport logs).').optional(),
  unfiltered: yesOrNo()
    .optional()
    .describe('Whether all records of the logs arrive; if absent, the record IDs decide.'),
  mayBeEmpty: yesOrNo()
    .optional()
    .describe('A folder without files is accepted: its log is turned off, or still empty.'),
});

export const files: SourceKind<typeof settings, FileSource> = {
  type,
  settings,
  besideFile: (given, seen) => ({ ...given, paths: given.paths.map(seen) }),
  /** Every path is a source of its own, named as it was given. */
  parts: (given) =>
    given.flatMap(({ paths, server = os.hostname(), unfiltered, mayBeEmpty }) =>
      paths.map((path) => ({ name: path, paths: [path], server, unfiltered, mayBeEmpty })),
    ),
  onlyServer: ({ server }) => server,
  follow: async (sources, reading) => {
    const { followFiles } = await import('./files.js');
    return followFiles({ ...reading, sources });
  },
};
