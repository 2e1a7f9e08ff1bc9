/** The texts that an outage sent through every channel, steady enough for golden files; UPDATE=1 writes them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { Request } from './alertmanager.js';
import type { OutageCase } from './outage-cases.js';

const goldenFolder = path.resolve(import.meta.dirname, '../golden/outages');

/** The newest text of each group in each channel while it lasts and when it is over, in the order of the alphabet. */
export function textsOf(of: OutageCase, requests: readonly Request[], mails: readonly string[]): string {
  const number = of.server.slice(-2);
  const mine = new RegExp(
    `(exch|twin|relay)-${number}\\b|(Partner|Internet|Berlin|Munich|Relay) ${number}\\b|\\b10\\.${Number(number)}\\.0\\.\\d`,
  );
  const bodies = (at: RegExp): string[] =>
    requests.filter((each) => at.test(each.path)).map(({ body }) => JSON.stringify(body, shownMember, 1));
  const channels = {
    slack: bodies(/^\/slack$/).map(readable),
    teams: bodies(/^\/teams$/).map(readable),
    pagerduty: bodies(/^\/pagerduty$/).map(readable),
    webhook: bodies(/^\/mail-/).map(readable),
    mail: mails.map(decoded).map(withoutEnvelope),
  };
  return Object.entries(channels)
    .flatMap(([channel, texts]) => {
      const own = texts.filter((text) => mine.test(text)).map(steady);
      const [over, lasting] = [own.filter(isOver), own.filter((text) => !isOver(text))];
      return [
        `==== ${channel}\n${newestOf(lasting)}`,
        ...(over.length > 0 ? [`==== ${channel}, over\n${newestOf(over)}`] : []),
      ];
    })
    .join('\n\n');
}

/** Of one group the newest, which has everything in it. */
function newestOf(texts: readonly string[]): string {
  const newest = new Map(texts.map((text) => [groupOf(text), text]));
  return [...newest.values()].sort().join('\n----\n');
}

function isOver(text: string): boolean {
  return /white_check_mark|&#x2705;|"event_action": "resolve"|^Subject: Over|^ "status": "resolved"/m.test(text);
}

/** What tells the groups of one outage apart: the Send connector or the exporter, and how urgent it is. */
function groupOf(text: string): string {
  const subject = /To Partner|[A-Z]\w+ \d\d|at exch|exch-\d\d|source/i.exec(text)?.[0];
  return `${subject} ${/warning|critical|info/.exec(text)?.[0]}`;
}

const hidden = new Set([
  ...['dedup_key', 'routing_key', 'channel', 'username', 'mrkdwn_in', 'color', 'footer', 'ts'],
  ...['commonLabels', 'commonAnnotations', 'groupKey', 'truncatedAlerts', 'version', 'externalURL'],
  ...['startsAt', 'endsAt', 'generatorURL', 'fingerprint'],
]);

/** Without what is the same in every message, or never the same. */
function shownMember(key: string, value: unknown): unknown {
  return hidden.has(key) ? undefined : value;
}

function readable(json: string): string {
  return json.replaceAll('\\n', '\n').replaceAll('\\"', '"').replaceAll('\\u003c', '<');
}

function withoutEnvelope(mail: string): string {
  const subject = /^Subject: (.*)$/m.exec(mail)?.[0] ?? '';
  const plain = /Content-Type: text\/plain[^]*?\n\n([^]*?)\n--/.exec(mail)?.[1] ?? '';
  const html = /<!doctype html>[^]*?<\/html>/.exec(mail)?.[0] ?? '';
  return `${subject}\n\n${plain}\n\n${html.replace(/\n+/g, '\n')}`;
}

/** Quoted-printable as text. */
function decoded(mail: string): string {
  const bytes = mail
    .replaceAll('=\r\n', '')
    .replaceAll('\r\n', '\n')
    .replace(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The same text whenever the test runs. */
function steady(text: string): string {
  return text
    .replace(/\d\d:\d\d UTC(, \d+ \w+ \d{4})?/g, 'HH:MM UTC')
    .replace(/\b\d+ (s|min) ago/g, 'N s ago')
    .replace(/logged \d+/g, 'logged N')
    .replace(/\b\d+ errors on server/g, 'N errors on server')
    .replace(/http:\/\/[^/"]+:0\//g, 'http://alertmanager/');
}

export async function expectGolden(of: OutageCase, text: string): Promise<void> {
  const file = path.join(goldenFolder, `${of.server.slice(-2)}.txt`);
  const told = [
    of.name,
    ...Object.entries(of.told).map(([receiver, names]) => `mail-${receiver}: ${names.join(', ') || 'nothing'}`),
  ].join('\n');
  const shown = `${told}\n\n${text}\n`.replace(/[ \t]+$/gm, '');
  if (process.env.UPDATE) {
    await mkdir(goldenFolder, { recursive: true });
    await writeFile(file, shown);
  }
  expect(shown, of.name).toBe(await readFile(file, 'utf8'));
}
