/** What an installation takes and what it refuses, before anything is done. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { askedOf, type InstallFlags } from '../../../src/commands/service/install-flags.js';

const flags = (given: Partial<InstallFlags> = {}): InstallFlags => ({
  listenPort: '10202',
  firewall: '1',
  start: true,
  ...given,
});

const problemsOf = (given: Partial<InstallFlags>): readonly string[] => {
  const asked = askedOf(flags(given));
  return 'problems' in asked ? asked.problems : [];
};

test('what the MSI leaves empty is not asked for', () => {
  const empty = {
    'config.file': ' ',
    'state.directory': ' ',
    remoteAddresses: ' ',
    listenPort: '10202 ',
    firewall: '1 ',
  };
  expect(askedOf(flags(empty))).toEqual({
    configuration: undefined,
    first: { port: 10202, state: undefined },
    remoteAddresses: [],
  });
});

test.each([
  ['D:\\exporter\\', 'D:\\exporter'],
  ['D:\\exporter\\ ', 'D:\\exporter'],
  ['D:\\exporter"', 'D:\\exporter'],
  ['D:\\', 'D:\\'],
  ['D:"', 'D:\\'],
  ["D:\\Überwachung für Müller\\O'Neil & Söhne", "D:\\Überwachung für Müller\\O'Neil & Söhne"],
  ['\\\\server\\share\\state', '\\\\server\\share\\state'],
])('a folder may end in a backslash, and be of any name: %s', (typed, folder) => {
  expect(askedOf(flags({ 'state.directory': typed }))).toMatchObject({ first: { state: folder } });
});

test.each([
  'state',
  '.\\state',
  '\\state',
  'C:state',
  "'C:\\state'",
  'C:\\a"b',
  'C:\\what?',
  'C:\\a\\b:c.yml',
  'C:\\D:\\c.yml',
  'C:\\%COMPUTERNAME%\\a.yml',
])('a place that is not a full path of Windows is refused, with the flag and the property: %s', (place) => {
  expect(problemsOf({ 'config.file': place })).toEqual([expect.stringContaining('CONFIG_FILE') as string]);
  expect(problemsOf({ 'state.directory': place })).toEqual([expect.stringContaining('STATE_DIR') as string]);
});

test.each(['0', '70000', 'abc', '', '-1', '1.5', '0x50', '1e3', '10202 10203'])('no port: %s', (port) => {
  expect(problemsOf({ listenPort: port })).toEqual([
    `--listen-port (LISTEN_PORT of the MSI) is "${port}": expected a port from 1 to 65535`,
  ]);
});

test('the firewall is opened for lists of addresses, networks and ranges, and for nothing else', () => {
  const list = '10.1.2.3; 10.1.0.0/16,2001:db8::/32 LocalSubnet,10.1.2.3-10.1.2.9';
  const five = ['10.1.2.3', '10.1.0.0/16', '2001:db8::/32', 'LocalSubnet', '10.1.2.3-10.1.2.9'];
  expect(askedOf(flags({ remoteAddresses: list }))).toMatchObject({ remoteAddresses: five });
  expect(askedOf(flags({ remoteAddresses: list, firewall: '0' }))).toMatchObject({ remoteAddresses: [] });
  const wrong = [
    '10',
    '10.1',
    '0x7f.1',
    '010.1.2.3',
    '10.1/16',
    'fe80::1%3',
    '10.1.2.9-10.1.2.3',
    '10.1.2.3-::1',
    '1.2.3.4-5',
    '-',
  ];
  for (const each of [...wrong, '10.1.2.3/24/24', 'prometheus.example', 'any', '10.0.0.0/33'])
    expect(problemsOf({ remoteAddresses: `10.1.2.3,${each}` }), each).toEqual([
      expect.stringContaining(`REMOTE_ADDRESSES of the MSI): "${each}"`) as string,
    ]);
  expect(problemsOf({ firewall: 'no' })).toEqual([expect.stringContaining('expected 0 or 1') as string]);
});

test('all that is wrong is said at once, whatever it is', () => {
  expect(
    problemsOf({ listenPort: 'x', firewall: '2', 'config.file': 'x', 'state.directory': 'x', remoteAddresses: 'x' }),
  ).toHaveLength(5);
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(text, text, text, text, text, (listenPort, firewall, remoteAddresses, file, state) => {
      const asked = askedOf(
        flags({ listenPort, firewall, remoteAddresses, 'config.file': file, 'state.directory': state }),
      );
      if ('problems' in asked)
        for (const problem of asked.problems) expect(problem).toMatch(/^--[a-z.-]+ \([A-Z_]+ of the MSI\)/);
      else expect(asked.first.port).toBeGreaterThan(0);
    }),
  );
});
