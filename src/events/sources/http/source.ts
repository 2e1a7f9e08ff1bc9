/** Records that senders push over HTTP: OTLP and any format of text, on a listener of its own. */
import * as z from 'zod';
import { fileName, hostName, isLoopback, listenAddress, mapping, shownAddress, whole } from '../../../config/forms.js';
import type { SourceKind } from '../source.js';
import type { HttpPart } from './part.js';

const type = 'http';
const settings = mapping({
  type: z.literal(type),
  listenAddress: listenAddress().prefault('127.0.0.1:4318').describe('Where it listens.'),
  webConfigFile: fileName('TLS and users of this listener, in the schema of exporter-toolkit.').optional(),
  bearerTokenFile: fileName('File with the token that senders give as `Authorization: Bearer`.').optional(),
  server: hostName('Server of records that name none, if the request does not either.').optional(),
  maxRequestMebibytes: whole(
    1,
    32,
    'Largest request as sent, in MiB; up to 32 MiB unpacked. Shippers do not retry larger requests.',
  ).prefault(4),
}).superRefine(({ listenAddress: at, webConfigFile, bearerTokenFile }, context) => {
  if (isLoopback(at) || webConfigFile !== undefined || bearerTokenFile !== undefined) return;
  context.addIssue({
    code: 'custom',
    path: ['listenAddress'],
    message: 'a loopback address, or webConfigFile (users, client certificates) or bearerTokenFile as well',
    input: shownAddress(at),
  });
});

export const http: SourceKind<typeof settings, HttpPart> = {
  type,
  settings,
  besideFile: ({ webConfigFile, bearerTokenFile, ...given }, seen) => ({
    ...given,
    ...(webConfigFile !== undefined && { webConfigFile: seen(webConfigFile) }),
    ...(bearerTokenFile !== undefined && { bearerTokenFile: seen(bearerTokenFile) }),
  }),
  parts: (given) =>
    given.map(({ listenAddress: at, webConfigFile, bearerTokenFile, server = '', maxRequestMebibytes }) => ({
      name: `http ${shownAddress(at)}`,
      server,
      listenAddress: at,
      webConfigFile,
      bearerTokenFile,
      mostBytes: maxRequestMebibytes * 2 ** 20,
    })),
  onlyServer: () => undefined,
  /** Whoever looks must not take the address from the exporter that runs. */
  isPushed: true,
  follow: async (parts, reading) => {
    const { followHttp } = await import('./http.js');
    return followHttp(parts, reading);
  },
};
