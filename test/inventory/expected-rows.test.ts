/** What is expected of an inventory before anything fails: which server, which Send connector, which destination. */
import { expect, test } from 'vitest';
import { expectedRows, type Expectation } from '../../src/inventory/expected-rows.js';
import type { SendConnector } from '../../src/model/connectors.js';

function connector(more: Partial<SendConnector>): SendConnector {
  return {
    name: 'Outbound',
    guid: undefined,
    enabled: true,
    dnsRouting: false,
    smartHosts: ['203.0.113.25'],
    port: 25,
    addressSpaces: ['*'],
    sourceServers: ['ex01'],
    requireTls: false,
    protocolLogging: undefined,
    settings: {},
    ...more,
  };
}

/** As `server connector destination`, for these Send connectors. */
function rowsOf(connectors: readonly Partial<SendConnector>[], more: Partial<Expectation> = {}): string[] {
  const expectation: Expectation = {
    connectors: connectors.map(connector),
    knownServers: [],
    nameOfServer: (name) => name,
    addressesOf: () => [],
    ...more,
  };
  return expectedRows(expectation).map((row) => `${row.server} ${row.connector} ${row.destination}`);
}

test('each source server with each smart host, on the port of the connector', () => {
  const given = { sourceServers: ['ex01', 'ex02'], smartHosts: ['203.0.113.25', '2001:db8::25'], port: 587 };
  expect(rowsOf([given])).toEqual([
    'ex01 Outbound 203.0.113.25:587',
    'ex01 Outbound [2001:db8::25]:587',
    'ex02 Outbound 203.0.113.25:587',
    'ex02 Outbound [2001:db8::25]:587',
  ]);
});

test('a connector that is off expects nothing, and what is named twice is expected once', () => {
  expect(rowsOf([{ enabled: false }])).toEqual([]);
  expect(rowsOf([{ sourceServers: ['ex01', 'EX01'], smartHosts: ['203.0.113.25', '203.0.113.25'] }])).toEqual([
    'ex01 Outbound 203.0.113.25:25',
  ]);
});

test('with DNS routing its domains on port 25, and "other" where it is for all', () => {
  const routed = { dnsRouting: true, smartHosts: [], port: 587 };
  expect(rowsOf([{ ...routed, addressSpaces: ['*.fabrikam.example', 'contoso.example', '*'] }])).toEqual([
    'ex01 Outbound fabrikam.example:25',
    'ex01 Outbound contoso.example:25',
  ]);
  expect(rowsOf([{ ...routed, addressSpaces: ['*'] }])).toEqual(['ex01 Outbound other']);
});

test('a name stands for itself until it is resolved, then for its addresses; an address is never looked up', () => {
  const asked: string[] = [];
  const addressesOf = (destination: string): readonly string[] => {
    asked.push(destination);
    return destination === 'relay.contoso.example:2525' ? ['192.0.2.7', '2001:db8::7'] : [];
  };
  const smartHosts = ['relay.contoso.example', 'unresolved.contoso.example', '203.0.113.25'];
  expect(rowsOf([{ smartHosts, port: 2525 }], { addressesOf })).toEqual([
    'ex01 Outbound 192.0.2.7:2525',
    'ex01 Outbound [2001:db8::7]:2525',
    'ex01 Outbound unresolved.contoso.example:2525',
    'ex01 Outbound 203.0.113.25:2525',
  ]);
  expect(asked).toEqual(['relay.contoso.example:2525', 'unresolved.contoso.example:2525']);
});

test('servers go by the full name that a record has told, also where the inventory has the short one', () => {
  const nameOfServer = (name: string): string => (name === 'ex01' ? 'ex01.contoso.local' : name);
  expect(rowsOf([{ sourceServers: ['EX01', 'ex01.contoso.local'] }], { nameOfServer })).toEqual([
    'ex01.contoso.local Outbound 203.0.113.25:25',
  ]);
});

test('only of the servers that are read here, by either form of their names', () => {
  const given = { sourceServers: ['ex01', 'ex02', 'ex01b'] };
  expect(rowsOf([given], { ownServers: ['EX01.contoso.local'] })).toEqual(['ex01 Outbound 203.0.113.25:25']);
  expect(rowsOf([given], { ownServers: [] })).toEqual([]);
});

test('without source servers those that are read here, else all that are known', () => {
  const given = { sourceServers: [] };
  const knownServers = ['ex07', 'ex08'];
  expect(rowsOf([given], { knownServers })).toEqual(['ex07 Outbound 203.0.113.25:25', 'ex08 Outbound 203.0.113.25:25']);
  expect(rowsOf([given], { knownServers, ownServers: ['ex09'] })).toEqual(['ex09 Outbound 203.0.113.25:25']);
});

test('no more than 10,000 rows, whatever the file holds', () => {
  const sourceServers = Array.from({ length: 300 }, (_, index) => `ex${index}`);
  const smartHosts = Array.from({ length: 200 }, (_, index) => `203.0.113.${index}`);
  expect(rowsOf([{ sourceServers, smartHosts }])).toHaveLength(10_000);
});
