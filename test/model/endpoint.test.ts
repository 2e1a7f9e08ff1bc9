/** End points in one normal form: what a log said is kept where it tells hosts apart. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf, destinationOf, endpointOf } from '../../src/model/endpoint.js';
import { createPolicy } from '../../src/probes/policy.js';
import { connectivityLines, readerOf, sendLines } from '../events/transport-sessions.js';

describe('the zone of a link-local address', () => {
  test.each([
    ['[fe80::1%5]:25', '[fe80::1%5]:25'],
    ['[FE80:0::1%eth0]:25', '[fe80::1%eth0]:25'],
    ['[fe80::1%0]:25', '[fe80::1]:25'],
    ['[fe80::1]:25', '[fe80::1]:25'],
    ['[2001:db8::1%3]:25', '[2001:db8::1]:25'],
    ['[::ffff:192.0.2.1%3]:25', '[::ffff:192.0.2.1]:25'],
  ])('%s is %s', (written, label) => {
    const endpoint = endpointOf(written);
    expect(endpoint && destinationOf(endpoint)).toBe(label);
    expect(endpointOf(label)).toEqual(endpoint);
  });

  test('is kept in attempts and failures of both transport logs', () => {
    const reader = readerOf({ '3b7d6f0e-1111-4222-8333-444455556666': 'Out' });
    reader.read(
      sendLines({
        remote: '[fe80::1%5]:25',
        said: [['*', '', 'Failed to connect. Winsock error code: 10061, Win32 error code: 10061']],
      }),
    );
    expect(reader.told()).toMatchObject({ 'Out | [fe80::1%5]:25 | refused': 1 });
    const second = readerOf({ '3b7d6f0e-1111-4222-8333-444455556666': 'Out' });
    second.read(
      connectivityLines('08DE53D0A1B2C301', 'a.example', [
        ['+', 'DnsConnectorDelivery 3b7d6f0e-1111-4222-8333-444455556666;Q'],
        ['>', 'Failed connection to fe80::1%7:25 (ConnectionRefused:0000274D)'],
      ]),
    );
    expect(second.told()).toMatchObject({ 'Out | [fe80::1%7]:25 | refused': 1 });
  });

  test('opens no way to a host that the policy closes', () => {
    const zoned = addressOf('fe80::1%5') ?? '';
    expect(createPolicy().judge(zoned, 25)).toContain('link-local');
    expect(createPolicy({ allow: ['fe80::/10'] }).judge(zoned, 25)).toBeUndefined();
    expect(createPolicy({ allow: ['fe80::/10'], deny: ['fe80::1'] }).judge(zoned, 25)).toContain('probe.deny');
  });

  test('is one short word or none, whatever stands behind the percent sign', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (zone) => {
        const address = addressOf(`fe80::1%${zone}`);
        if (address !== undefined) expect(address).toMatch(/^fe80::1(%[0-9a-z][0-9a-z._-]{0,31})?$/i);
      }),
    );
  });
});
