import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const folder = new URL('../../examples/shippers/', import.meta.url);
const files = readdirSync(folder);
const textOf = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
const providers = [
  'MSExchangeTransport',
  'MSExchangeFrontEndTransport',
  'MSExchangeTransportDelivery',
  'MSExchangeTransportSubmission',
];

/** The XPath conditions of a configuration, without the escapes of XML. */
function conditionsIn(text: string): string[] {
  const plain = text.replaceAll('&gt;', '>').replaceAll('&lt;', '<');
  return [...plain.matchAll(/\*\[System\[[^\n]*?\]\](?=<|"|$)/gm)].map((match) => match[0]);
}

describe.each(files.filter((file) => !/README|\.ps1$/.test(file)))('%s', (file) => {
  const conditions = conditionsIn(textOf(file));

  test('selects the transport services and their neighbours in the System log', () => {
    for (const name of providers) expect(conditions.some((each) => each.includes(`@Name='${name}'`))).toBe(true);
    for (const name of ['Tcpip', 'Schannel', 'NETLOGON', 'Microsoft-Windows-DNS-Client']) {
      expect(
        conditions.some((each) => each.includes(`@Name='${name}'`)),
        name,
      ).toBe(true);
    }
  });

  test('has no more conditions in one Select than Windows accepts, and closes what it opens', () => {
    for (const each of conditions) {
      expect(each.match(/@Name=|EventID/g)!.length, each).toBeLessThanOrEqual(20);
      for (const [open, close] of ['()', '[]']) expect(each.split(open!).length).toBe(each.split(close!).length);
    }
  });

  test('is named in the table', () => {
    expect(textOf('README.md')).toContain(`](${file})`);
  });
});

test.each(files.filter((file) => /\.ya?ml$/.test(file)))('%s is YAML', (file) => {
  expect(Object.keys(parse(textOf(file)) as object).length).toBeGreaterThan(0);
});

test('the full queries are one and the same', () => {
  const queryOf = (file: string) => /<QueryList>[^]*<\/QueryList>/.exec(textOf(file))![0].replace(/>\s+</g, '><');
  for (const file of ['winlogbeat.yml', 'nxlog.conf', 'otel-collector.yaml', 'alloy.alloy', 'wef-subscription.xml']) {
    expect(queryOf(file), file).toBe(queryOf('exchange-events.query.xml'));
  }
});
