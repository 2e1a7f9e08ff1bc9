/** Records that Beats and Logstash push by Lumberjack 2, on a listener of its own. */
import * as z from 'zod';
import {
  fileName,
  hostName,
  isLoopback,
  list,
  listenAddress,
  mapping,
  nonEmpty,
  shownAddress,
  text,
} from '../../../config/forms.js';
import type { SourceKind } from '../source.js';
import type { LumberjackPart } from './part.js';

const type = 'lumberjack';
const settings = mapping({
  type: z.literal(type),
  listenAddress: listenAddress().prefault('127.0.0.1:5044').describe('Where it listens.'),
  tls: mapping({
    cert: fileName('Certificate of this listener (PEM), and those of its issuers after it.'),
    key: fileName('Its private key (PEM).'),
    clientCa: fileName('Authority of the certificates that senders must have (PEM).').optional(),
  }).optional(),
  clients: list(
    mapping({
      subject: text('the common name or a DNS name of a certificate', nonEmpty, {
        description: 'Common name or DNS name of the certificate of a sender.',
      }),
      server: hostName('The only server whose records it may send.'),
    }),
    'a list of subject and server',
  )
    .prefault([])
    .describe('Senders whose records are believed for one server alone.'),
}).superRefine(({ listenAddress: at, tls, clients }, context) => {
  const issue = (path: string, message: string): void => {
    context.addIssue({ code: 'custom', path: [path], message, input: path === 'tls' ? tls : shownAddress(at) });
  };
  if (!isLoopback(at) && tls?.clientCa === undefined)
    issue('listenAddress', 'an address of loopback, or tls with cert, key and clientCa beside it');
  if (clients.length > 0 && tls?.clientCa === undefined)
    issue('tls', 'clientCa with clients: without it no sender shows a certificate');
  const known = new Set<string>();
  for (const [index, { subject }] of clients.entries())
    if (known.size === known.add(subject.toLowerCase()).size) {
      const message = 'a subject that no other of the clients has, in any case';
      context.addIssue({ code: 'custom', path: ['clients', index, 'subject'], message, input: subject });
    }
});

export const lumberjack: SourceKind<typeof settings, LumberjackPart> = {
  type,
  settings,
  besideFile: ({ tls, ...given }, seen) => ({
    ...given,
    ...(tls && {
      tls: {
        cert: seen(tls.cert),
        key: seen(tls.key),
        ...(tls.clientCa !== undefined && { clientCa: seen(tls.clientCa) }),
      },
    }),
  }),
  parts: (given) =>
    given.map(({ listenAddress: at, tls, clients }) => ({
      name: `lumberjack ${shownAddress(at)}`,
      server: '',
      listenAddress: at,
      tls,
      clients,
    })),
  onlyServer: () => undefined,
  isPushed: true,
  follow: async (parts, reading) => {
    const { followLumberjack } = await import('./lumberjack.js');
    return followLumberjack(parts, reading);
  },
};
