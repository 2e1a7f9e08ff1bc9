import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Outage } from '../../../src/commands/demo/outage.js';
import { openTransportLogs } from '../../../src/commands/demo/transport-log-writer.js';
import type { Ending } from '../../../src/commands/demo/ending.js';
import type { TextFormat } from '../../../src/events/formats/format.js';
import { formats } from '../../../src/events/formats/formats.js';
import { createSessions } from '../../../src/events/transport/sessions.js';
import type { Evidence } from '../../../src/model/evidence.js';
import { temporaryFolder } from '../../support/folder.js';

const endings: readonly Ending[] = [
  'refused',
  'timeout',
  'banner_timeout',
  'banner_5xx',
  'starttls_not_offered',
  'certificate_expired',
];

it.each(endings)('writes a session that is read as one attempt and one failure: %s', async (ending) => {
  const outage: Outage = {
    computer: 'EXCH01.contoso.example',
    connector: 'To Branch Office München',
    destination: '127.0.0.1:2525',
    ending,
    firstAfter: 1,
    every: 20,
  };
  const logs = openTransportLogs(await temporaryFolder(), {
    outages: [outage],
    connectors: [{ Name: outage.connector, Guid: '2f6f0e8e-6a5c-4f0e-9d53-0b1b7f0f5f10' }],
  });
  const at = new Date('2026-01-15T08:14:02.137Z');
  logs.write(outage, at);
  const found: Evidence[] = [];
  const sessions = createSessions({
    saved: [],
    connectorOfGuid: () => undefined,
    unknownCode: () => undefined,
    now: () => at.getTime(),
  });
  sessions.logFound('exch01', at.getTime());
  for (const folder of logs.servers.flatMap(({ folders }) => folders)) {
    const [name = ''] = readdirSync(folder);
    const text = readFileSync(path.join(folder, name), 'utf8').replace(/^\ufeff/, '');
    const format = formats.find((each): each is TextFormat => each.kind === 'text' && each.recognises(text));
    for (const row of text
      .trimEnd()
      .split('\r\n')
      .flatMap((line) => format?.decode(line) ?? [])) {
      if (row.kind !== 'event' && row.kind !== 'shipped_line')
        sessions.read(row, { server: 'exch01', history: false }, found);
    }
  }
  const common = { server: 'exch01', connector: outage.connector, destination: outage.destination, at: at.getTime() };
  expect(found).toHaveLength(2);
  expect(found).toContainEqual({ kind: 'connection_attempt', ...common });
  expect(found).toContainEqual({ kind: 'connection_failure', ...common, reason: ending });
});
