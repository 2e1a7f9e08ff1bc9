import { describe, expect, test } from 'vitest';
import type { ProbeResult } from '../../src/model/probes.js';
import type { SendConnector, Target } from '../../src/model/connectors.js';
import { createTargets, paceOf, targetOf } from '../../src/probes/targets.js';
import { exportedConnectors } from '../support/exported.js';

const named = (list: readonly Target[]): readonly string[] =>
  list.map(({ destination, origin }) => `${destination} ${origin}`);

function nameResult(destination: string, addresses: readonly string[] | undefined): ProbeResult {
  return {
    id: `${destination}@1`,
    destination,
    host: destination.replace(/:\d+$/, ''),
    origin: 'configured',
    at: 1,
    seconds: 0,
    success: addresses !== undefined,
    failedStep: undefined,
    reason: undefined,
    steps: [{ step: 'dns', seconds: 0, outcome: 'passed' }],
    facts: addresses ? { addresses } : {},
    transcript: [],
  };
}

function connectors(...exported: readonly object[]): readonly SendConnector[] {
  return exportedConnectors(exported.map((each, index) => ({ Name: `Connector ${index}`, ...each })));
}

describe('targets', () => {
  test('reads end points of every form and leaves out what is none', () => {
    const targets = createTargets({
      configured: ['relay.contoso.example', '203.0.113.25:587', '[2001:DB8::1]:25', '--', 'a b', '10.0.0.1:99999'],
    });
    expect(named(targets.list())).toEqual([
      'relay.contoso.example:25 configured',
      '203.0.113.25:587 configured',
      '[2001:db8::1]:25 configured',
    ]);
    targets.observe('other', 5);
    targets.observe('not an end point', 5);
    expect(targets.list()).toHaveLength(4);
  });

  test('inventory goes before configured, configured before observed', () => {
    const targets = createTargets({ configured: ['10.0.0.1:25', '10.0.0.2:25'] });
    for (const host of [1, 2, 3]) targets.observe(`10.0.0.${host}:25`, host);
    targets.setInventory(connectors({ SmartHosts: ['[10.0.0.1]'], RequireTLS: true }));
    expect(named(targets.list()).toSorted()).toEqual([
      '10.0.0.1:25 inventory',
      '10.0.0.2:25 configured',
      '10.0.0.3:25 observed',
    ]);
    targets.setInventory([]);
    targets.setConfigured([]);
    expect(named(targets.list())).toEqual(['10.0.0.1:25 observed', '10.0.0.2:25 observed', '10.0.0.3:25 observed']);
  });

  test('beyond the limit the one that erred longest ago goes', () => {
    const targets = createTargets({ limit: 2 });
    targets.observe('10.0.0.1:25', 100);
    targets.observe('10.0.0.2:25', 200);
    targets.observe('10.0.0.1:25', 300);
    targets.observe('10.0.0.3:25', 250);
    expect(named(targets.list())).toEqual(['10.0.0.1:25 observed', '10.0.0.3:25 observed']);
    targets.observe('10.0.0.4:25', 50);
    targets.observe('10.0.0.5:25', undefined);
    expect(named(targets.list())).toEqual(['10.0.0.1:25 observed', '10.0.0.3:25 observed']);
    expect(targets.evicted()).toBe(3);
  });

  test('gives the same array until something changes', () => {
    const targets = createTargets({ configured: ['relay.contoso.example:25'] });
    targets.observe('10.0.0.1:25', 1);
    const first = targets.list();
    targets.observe('10.0.0.1:25', 2);
    targets.learn(nameResult('relay.contoso.example:25', undefined));
    expect(named(targets.list())).toEqual(named(first));
    const second = targets.list();
    targets.learn(nameResult('relay.contoso.example:25', undefined));
    expect(targets.list()).toBe(second);
  });

  test('visits an observed address with the configured name that it belongs to, while it does', () => {
    const targets = createTargets({ configured: ['relay.contoso.example:25', '10.0.0.9:25'] });
    for (const host of [1, 2, 9]) targets.observe(`10.0.0.${host}:25`, 1);
    targets.observe('10.0.0.1:587', 1);
    targets.learn(nameResult('relay.contoso.example:25', ['10.0.0.1', '10.0.0.9']));
    expect(named(targets.list()).toSorted()).toEqual([
      '10.0.0.1:587 observed',
      '10.0.0.2:25 observed',
      'relay.contoso.example:25 configured',
    ]);
    targets.learn(nameResult('relay.contoso.example:25', undefined));
    expect(targets.list()).toHaveLength(5);
    targets.learn(nameResult('relay.contoso.example:25', ['10.0.0.1']));
    targets.setConfigured([]);
    expect(named(targets.list())).toContain('10.0.0.1:25 observed');
  });

  test('of the inventory: enabled smart hosts with their port, named domains with 25, never `*`, `--` or a disabled one', () => {
    const targets = createTargets();
    targets.setInventory(
      connectors(
        {
          SmartHosts: ['[10.0.0.1]', 'Relay.Contoso.Example', '[2001:db8::1]', '--'],
          Port: 587,
          Fqdn: 'a.example',
        },
        {
          DNSRoutingEnabled: true,
          AddressSpaces: ['SMTP:*;1', 'SMTP:*.fabrikam.example;5', 'X400:c=de;1', 'SMTP:--;1'],
          Port: 2525,
        },
        { SmartHosts: ['10.0.0.9'], Enabled: false },
        { SmartHosts: ['10.0.0.1'], Port: 587, Fqdn: 'b.example' },
      ),
    );
    expect(named(targets.list())).toEqual([
      '10.0.0.1:587 inventory',
      'relay.contoso.example:587 inventory',
      '[2001:db8::1]:587 inventory',
      'fabrikam.example:25 inventory',
    ]);
    expect(targets.list()[0]?.settings?.ehloName).toBe('a.example');
  });

  test('every setting of the connector goes to the prober; a source address only where this host has it', () => {
    const settings = (SourceIPAddress: string) => {
      const targets = createTargets({ localAddresses: () => ['10.0.0.7', '2001:db8::7'] });
      const tls = { RequireTLS: true, TlsAuthLevel: 4, TlsDomain: 'Relay.example', IgnoreSTARTTLS: false };
      targets.setInventory(
        connectors({ SmartHosts: '10.0.0.1', Fqdn: 'mail.example', ForceHELO: true, SourceIPAddress, ...tls }),
      );
      return targets.list()[0]?.settings;
    };
    const rest = { ehloName: 'mail.example', forceHelo: true, requireTls: true, tlsDomain: 'relay.example' };
    const expected = { ...rest, tlsAuthLevel: 'DomainValidation' };
    expect(settings('0.0.0.0')).toEqual(expected);
    expect(settings('10.0.0.8')).toEqual(expected);
    expect(settings('10.0.0.7')).toEqual({ ...expected, sourceAddress: '10.0.0.7' });
    expect(settings('2001:DB8:0::7')).toEqual({ ...expected, sourceAddress: '2001:db8::7' });
  });

  test('an observed destination is visited as the connector would that was seen with it', () => {
    const targets = createTargets();
    targets.observe('203.0.113.25:25', 1, 'Connector 0');
    targets.setInventory(connectors({ DNSRoutingEnabled: true, AddressSpaces: '*', Fqdn: 'mail.contoso.example' }));
    expect(targets.list()).toMatchObject([
      { destination: '203.0.113.25:25', settings: { ehloName: 'mail.contoso.example' } },
    ]);
  });

  test('an inventory address is not hidden behind a configured name', () => {
    const targets = createTargets({ configured: ['relay.contoso.example:25'] });
    targets.setInventory(connectors({ SmartHosts: '10.0.0.1' }));
    targets.learn(nameResult('relay.contoso.example:25', ['10.0.0.1']));
    expect(named(targets.list())).toContain('10.0.0.1:25 inventory');
  });
});

test('own hosts every 30 s, strangers every 5 min, both slower while they fail, up to a bound', () => {
  const pace = paceOf();
  const own = targetOf('10.0.0.1:25', 'inventory')!;
  const stranger = targetOf('10.0.0.2:25', 'observed')!;
  expect([0, 1, 2, 3, 4, 5, 100].map((failures) => pace(own, failures) / 1000)).toEqual([
    30, 30, 30, 60, 120, 120, 120,
  ]);
  expect([0, 2, 3, 100].map((failures) => pace(stranger, failures) / 60_000)).toEqual([5, 5, 10, 20]);
  expect(paceOf({ interval: 1000, observedInterval: 2000 })(stranger, 0)).toBe(2000);
});
