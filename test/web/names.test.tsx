/** Names from logs on every page: none turns round what stands beside it, and nothing in them is hidden. */
import { describe, expect, test } from 'vitest';
import { finish } from '../../src/runtime/breath.js';
import { connectorPage } from '../../src/web/pages/connector-page.js';
import { destinationPage } from '../../src/web/pages/destination-page.js';
import { eventsPage } from '../../src/web/pages/events-page.js';
import { documentOf } from '../../src/web/parts/layout.js';
import { linksOf } from '../../src/web/parts/links.js';
import type { Page } from '../../src/web/pages/page.js';
import { runbookPage } from '../../src/web/pages/runbook-page.js';
import { statusPage } from '../../src/web/pages/status-page.js';
import { happenings, ledgerRow, minute, now, pageOf, type WorldDraft } from './world.js';

/** As the books may hold them from before labels were escaped. */
const turned = {
  connector: 'Relay \u202eyalER \u2066x',
  destination: 'mail\u200f.fabrikam.example',
  server: 'exch\u061c01',
};
const hebrew = { connector: 'ממסר החוצה', destination: '192.0.2.9:25', server: 'שרת' };

function worldOf(names: typeof turned): WorldDraft {
  const [one] = happenings.recent ?? [];
  const [related] = happenings.related ?? [];
  return {
    rows: [ledgerRow(names), ledgerRow({ ...names, server: 'exch02' })],
    recent: [{ ...one!, ...names }],
    related: [
      { ...related!, server: names.server, text: 'changed to \u200e2026\u200e-11: \u202esdrow', at: now - 4 * minute },
    ],
    folded: { errors: 2, latest: [names] },
  };
}

function shown(page: Page, world: WorldDraft, params: Record<string, string>, query: Record<string, string>): string {
  const answer = page.show(pageOf(world), { params, query: new URLSearchParams(query) });
  const assets = { style: '/s.css', script: '/r.js', icon: '/i.svg' };
  return documentOf('next' in answer ? finish(answer) : answer, {
    links: linksOf(undefined),
    version: '1',
    telemetryPath: '/metrics',
    assets,
  });
}

const pages: [string, (world: WorldDraft, names: typeof turned) => string][] = [
  ['the status page', (world) => shown(statusPage, world, {}, {})],
  ['the connector page', (world, { connector }) => shown(connectorPage, world, { name: connector }, {})],
  ['the destination page', (world, { destination }) => shown(destinationPage, world, { name: destination }, {})],
  ['the events', (world) => shown(eventsPage, world, {}, {})],
  ['a runbook', (world, names) => shown(runbookPage, world, { name: 'DestinationDown' }, names)],
  ['a runbook of an unknown', (_, names) => shown(runbookPage, {}, { name: 'DestinationDown' }, names)],
  ['what is not found', (_, { connector }) => shown(connectorPage, {}, { name: connector }, {})],
];

describe.each(pages)('16.1: %s', (_, show) => {
  test('shows controls of direction as escapes, never as themselves', () => {
    // Only what is sent back is as it was.
    const html = show(worldOf(turned), turned).replace(/ value="[^"]*"/g, '');
    expect(html).not.toMatch(/\p{Bidi_Control}/u);
    expect(html).toMatch(/Relay \\u202EyalER \\u2066x|mail\\u200F\.fabrikam/);
  });

  test('a name that is written from right to left stands by itself', () => {
    const html = show(worldOf(hebrew), hebrew);
    const withoutTitle = html
      .replace(/<title>.*?<\/title>/, '')
      .replace(/<option[^>]* dir="auto"[^>]*>[^<]*<\/option>/g, '')
      .replace(/ (?:href|value)="[^"]*"/g, '');
    for (const name of [hebrew.connector, hebrew.server])
      expect(
        withoutTitle.replaceAll(`<bdi>${name}</bdi>`, '').replace(/<mark>[^<]*<\/mark>|<code>[^<]*<\/code>/g, ''),
      ).not.toContain(name);
  });
});

test('16.1: marks of direction that Windows puts around its dates are left out of what an event says', () => {
  expect(shown(eventsPage, worldOf(turned), {}, {})).toContain('<bdi>changed to 2026-11: \\u202Esdrow</bdi>');
});
