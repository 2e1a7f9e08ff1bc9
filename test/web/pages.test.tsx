/** Every page as a pure function: what it says for literal books. */
import { renderToString } from 'preact-render-to-string';
import { describe, expect, test } from 'vitest';
import { rowsOf } from '../../src/web/view.js';
import { finish } from '../../src/runtime/breath.js';
import { connectorPage } from '../../src/web/pages/connector-page.js';
import { destinationPage } from '../../src/web/pages/destination-page.js';
import { documentOf } from '../../src/web/parts/layout.js';
import { linksOf } from '../../src/web/parts/links.js';
import type { Answer, Page } from '../../src/web/pages/page.js';
import { runbookIndexPage, runbookPage } from '../../src/web/pages/runbook-page.js';
import { runbooksOf } from '../../src/web/pages/runbooks.js';
import { statusPage } from '../../src/web/pages/status-page.js';
import {
  emoji,
  entry,
  evil,
  happenings,
  largeWorld,
  ledgerRow,
  mailWorld,
  minute,
  now,
  pageOf,
  runbookTexts,
  type WorldDraft,
} from './world.js';

type Ask = { params?: Record<string, string>; query?: string; world?: WorldDraft; externalUrl?: string };

const answerOf = (page: Page, { params = {}, query = '', world = mailWorld, externalUrl }: Ask = {}): Answer =>
  shownBy(page, pageOf(world, externalUrl), { params, query: new URLSearchParams(query) });
const shownBy = (page: Page, ...asked: Parameters<Page['show']>): Answer => {
  const answer = page.show(...asked);
  return 'next' in answer ? finish(answer) : answer;
};
const htmlOf = (page: Page, ask: Ask = {}): string => renderToString(answerOf(page, ask).body);

/** Text as a person reads it: tags gone, entities read, blanks joined. */
const textOf = (html: string): string =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
const hrefsOf = (html: string): string[] =>
  [...html.matchAll(/ href="([^"]*)"/g)].map((match) => match[1]!.replaceAll('&amp;', '&'));
const rowsOfTable = (html: string): string[] => html.split('<tbody>')[1]!.split('</tbody>')[0]!.split('<tr>').slice(1);

describe('the status page', () => {
  test('lists the destinations that are counted together as other, and says nothing while there are none', () => {
    const latest = [
      { connector: 'Outbound', destination: '203.0.113.1:25' },
      { connector: evil, destination: '203.0.113.2:25' },
    ];
    const text = textOf(htmlOf(statusPage, { world: { ...mailWorld, folded: { errors: 1234, latest } } }));
    expect(text).toContain('1,234 errors since the start counted under the destination “other”');
    expect(text).toContain(`${evil} → 203.0.113.2:25 Outbound → 203.0.113.1:25`);
    expect(htmlOf(statusPage)).not.toContain('destinations.limit');
  });

  test('says in one sentence what is broken, where, why and since when', () => {
    const text = textOf(htmlOf(statusPage));
    expect(text).toContain('1 of 9 destinations cannot be reached; 1 more fails in SMTP or TLS.');
    expect(text).toContain(
      'Worst, and longest: Outbound to Internet → 203.0.113.25:25 , connection refused since 08:14:39 UTC',
    );
    expect(answerOf(statusPage).title).toContain('1 of 9 destinations cannot be reached');
  });

  test('a failing row has count, error time, step and reason in words, since when, and the way on', () => {
    const [first] = rowsOfTable(htmlOf(statusPage));
    expect(textOf(first!)).toContain(
      'Unreachable Outbound to Internet exch01.contoso.example 203.0.113.25:25 14 4 min ago 08:14:30 UTC TCP connection: connection refused since 08:14:39 UTC',
    );
    expect(first).toContain('datetime="2026-11-23T08:14:30Z"');
    expect(hrefsOf(first!)).toEqual([
      '/connectors/Outbound%20to%20Internet',
      '/destinations/203.0.113.25:25',
      '/runbooks/DestinationDown?server=exch01.contoso.example&connector=Outbound%20to%20Internet&destination=203.0.113.25:25',
    ]);
  });

  test('each state leads to the runbook that fits', () => {
    const steps = rowsOfTable(htmlOf(statusPage)).map((row) => /\/runbooks\/(\w+)/.exec(row)?.[1]);
    expect(steps.slice(0, 4)).toEqual([
      'DestinationDown',
      'DestinationDown',
      'ErrorsDespiteHealthyProbes',
      'SendConnectorError',
    ]);
    expect(steps.at(-1)).toBeUndefined();
  });

  test('16.2: a server that offers no STARTTLS has not failed at it', () => {
    const world = {
      entries: [entry('192.0.2.9:25', { warning: { step: 'starttls', reason: 'starttls_not_offered' } })],
    };
    const text = textOf(htmlOf(statusPage, { world }));
    expect(text).toContain('passes; no STARTTLS offered in 84 ms');
    expect(text).toContain('Mail can flow, but no STARTTLS is offered.');
    expect(text).not.toContain('STARTTLS failed');
    const tls = { entries: [entry('192.0.2.9:25', { warning: { step: 'tls', reason: 'certificate_expired' } })] };
    expect(textOf(htmlOf(statusPage, { world: tls }))).toContain('passes; TLS handshake failed');
  });

  test('16.2: one error that no probe looked after is no more than that', () => {
    const rows = [1, 2].map((place) =>
      ledgerRow({ connector: `C${place}`, destination: `192.0.2.${place}:25`, lastErrorAt: now - 50 * minute }),
    );
    const text = textOf(htmlOf(statusPage, { world: { rows } }));
    expect(text).toContain('First among them: C1 → 192.0.2.1:25 had one error at 07:28:30 UTC');
    expect(text).toContain('C1 had one error at 07:28 UTC with 192.0.2.1:25 from exch01.contoso.example.');
    expect(text).not.toMatch(/Worst|longest|cannot reach/);
  });

  test('names from logs are text', () => {
    const html = htmlOf(statusPage);
    expect(html).not.toContain('<img');
    expect(textOf(html.replaceAll('&lt;img src=x onerror=alert(1)>', 'EVIL'))).toContain('EVIL');
    expect(html).toContain(emoji);
  });

  test('a ledger that was moved aside is said on top until the next start', () => {
    const movedAside = 'ledger.json: damaged: Unexpected end; moved to ledger.json.damaged-1';
    const saving = { failing: undefined, lastSavedAt: now, movedAside, startedOver: true };
    expect(textOf(htmlOf(statusPage, { world: { ...mailWorld, saving } }))).toContain(`${movedAside}. What the logs`);
  });

  test('a ledger that cannot be saved, a source that is down and what is not ready stand on top', () => {
    const text = textOf(
      htmlOf(statusPage, {
        world: {
          ...mailWorld,
          saving: { failing: 'ENOSPC: no space left on device', lastSavedAt: now - 12 * minute },
          sources: [
            {
              source: '/in',
              up: false,
              detail: 'EACCES: permission denied',
              lastRecordAt: undefined,
              lagBytes: 5_000_000,
              lagSeconds: 600,
              stalledSeconds: 0,
              bytesRead: 0,
            },
          ],
          why: ['The first pass over /in is not finished.'],
        },
      }),
    );
    expect(text).toContain(
      'they cannot be saved. ENOSPC: no space left on device. Last saved at 08:06:30 UTC (12 min ago)',
    );
    expect(text).toContain('A source cannot be read.');
    expect(text).toContain('The exporter is not ready. The first pass over /in is not finished.');
    expect(text).toContain('Cannot be read /in none yet 4.8 MiB, for 10 min EACCES: permission denied');
    expect(text.indexOf('cannot be saved')).toBeLessThan(text.indexOf('1 of 9'));
  });

  test('nothing read yet: says how to switch the events on', () => {
    const text = textOf(htmlOf(statusPage, { world: {} }));
    expect(text).toContain('No Send connector errors have been read yet.');
    expect(text).toContain('Set-EventLogLevel');
  });

  test('filters keep what was asked, and column heads turn the order round', () => {
    const html = htmlOf(statusPage, { query: 'q=fabrikam&sort=errors' });
    expect(html).toContain('value="fabrikam"');
    expect(textOf(html)).toContain('2 rows of 9');
    expect(html).toMatch(
      /<th scope="col" class="n" aria-sort="descending"><a href="\/\?q=fabrikam&amp;sort=errors&amp;dir=reverse">/,
    );
    expect(htmlOf(statusPage)).toMatch(/aria-sort="descending"><a href="\/\?dir=reverse">Last error/);
    expect(textOf(htmlOf(statusPage, { query: 'q=nothing+fits' }))).toContain('No row fits this filter.');
  });

  test('a search cannot leave its attribute', () => {
    const html = htmlOf(statusPage, { query: 'q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E' });
    expect(html).not.toContain('<script');
    expect(html).toContain('value="&quot;>&lt;script>alert(1)&lt;/script>"');
  });

  test('2,000 destinations: a page at a time, and all of them below a megabyte', () => {
    const world = largeWorld(2_000);
    const html = htmlOf(statusPage, { world });
    expect(rowsOfTable(html)).toHaveLength(250);
    expect(textOf(html)).toContain('250 on this page, 2,000 rows');
    expect(hrefsOf(html)).toContain('/?page=8');
    const all = htmlOf(statusPage, { world, query: 'page=all' });
    expect(rowsOfTable(all)).toHaveLength(2_000);
    expect(Buffer.byteLength(all)).toBeGreaterThan(500_000);
    expect(Buffer.byteLength(all)).toBeLessThan(1_000_000);
  });

  test('a page beyond the last shows the last', () => {
    expect(rowsOfTable(htmlOf(statusPage, { world: largeWorld(251), query: 'page=99' }))).toHaveLength(1);
  });
});

describe('the destination page', () => {
  test('has the last failed and the last good visit with steps, reasons and transcripts', () => {
    const html = htmlOf(destinationPage, { params: { name: '203.0.113.25:25' } });
    const text = textOf(html);
    expect(text).toContain('203.0.113.25:25 Unreachable');
    expect(text).toContain('The probe fails at TCP connection: connection refused , since 08:14:39 UTC (3 min ago)');
    expect(text).toContain('Last failed visit 08:18:09 UTC (21 s ago)');
    expect(text).toContain('connect ECONNREFUSED 203.0.113.25:25');
    expect(text).toContain('Not asked: SMTP banner, EHLO, STARTTLS, TLS handshake, EHLO inside TLS, QUIT');
    expect(text).toContain('Last good visit 08:14:09 UTC (4 min ago)');
    expect(text).toContain('< 220 mx1.fabrikam.example ESMTP');
    expect(text).toContain('1,240, the last 8 failed');
    expect(hrefsOf(html)).toContain(
      '/runbooks/reasons?server=exch01.contoso.example&connector=Outbound%20to%20Internet&destination=203.0.113.25:25#refused',
    );
  });

  test('16.4.4: how available it was, and its last outages', () => {
    const world = { ...mailWorld, ...happenings };
    const text = textOf(htmlOf(destinationPage, { params: { name: '203.0.113.25:25' }, world }));
    expect(text).toContain('Available, 24 hours 97.26 % 2,801 of 2,880 visits 7 days 99.61 % 20,081 of 20,160 visits');
    // One visit of 86,400 failed: that is not 100 %.
    expect(text).toContain('30 days 99.99 % 86,399 of 86,400 visits');
    expect(text).toContain('08:14:39 UTC , for 3 min so far');
    expect(text).toContain('2026-11-22 06:18:30 UTC , for 60 min');
  });

  test('certificate and TLS facts of the latest visit', () => {
    const text = textOf(htmlOf(destinationPage, { params: { name: '198.51.100.7:25' } }));
    expect(text).toContain('TLS TLSv1.3, TLS_AES_256_GCM_SHA384');
    expect(text).toContain('Certificate expires 2027-01-03 08:18:30 UTC (in 41 d)');
  });

  test('a destination that nobody knows is a 404 that shows the name as text', () => {
    const answer = answerOf(destinationPage, { params: { name: evil } });
    expect(answer.status).toBe(404);
    expect(renderToString(answer.body)).not.toContain('<img');
  });

  test('without a name it sends the reader to the status page', () => {
    expect(answerOf(destinationPage)).toMatchObject({ status: 302, redirect: '/' });
  });
});

describe('the connector page', () => {
  test('sums its errors and shows its destinations only', () => {
    const html = htmlOf(connectorPage, { params: { name: 'Outbound to Internet' } });
    expect(textOf(html)).toContain('1 of 2 destinations cannot be reached. 17 errors counted in all.');
    expect(rowsOfTable(html)).toHaveLength(2);
  });

  test('16.4.2: plots errors by reason over a day and a week, each lane with its sum', () => {
    const world = { ...mailWorld, ...happenings };
    const html = htmlOf(connectorPage, { params: { name: 'Outbound to Internet' }, world });
    const text = textOf(html);
    expect(text).toContain('Last 24 hours, by the hour; the highest bar is 9. Event 2002');
    expect(text).toContain('Last 7 days, by 6 hours; the highest bar is 12. Event 2002');
    expect(html).toContain('aria-label="Connection refused: 10 in all"');
    expect(html).toContain('aria-label="No answer in time: 45 in all"');
    expect(text).toContain('2 from 08:00:00 UTC on');
    expect(textOf(htmlOf(connectorPage, { params: { name: 'Outbound to Internet' } }))).not.toContain('Last 7 days');
  });

  test('16.4.2: its destinations come in pages', () => {
    const rows = Array.from({ length: 25 }, (_, index) =>
      ledgerRow({ connector: 'Outbound', destination: `192.0.2.${index}:25` }),
    );
    const ask = { params: { name: 'Outbound' }, world: { rows } };
    expect(rowsOfTable(htmlOf(connectorPage, ask))).toHaveLength(10);
    expect(rowsOfTable(htmlOf(connectorPage, { ...ask, query: 'page=3' }))).toHaveLength(5);
    expect(hrefsOf(htmlOf(connectorPage, ask))).toContain('/connectors/Outbound?page=3');
  });

  test.each([evil, emoji, '..', '.', '', 'a/b?c#d', 'Scan & Fax "Relay" / Paris', '100%', 'half \ud83d pair', "it's"])(
    'the link of %j comes back to it',
    (name) => {
      const world = {
        rows: [ledgerRow({ connector: name, destination: '192.0.2.1:25' })],
        entries: [entry('192.0.2.1:25')],
      };
      const url = new URL(linksOf(undefined).connector(name), 'http://exporter.example');
      const asked = url.pathname.split('/')[2];
      const params: Record<string, string> = asked === undefined ? {} : { name: decodeURIComponent(asked) };
      const answer = shownBy(connectorPage, pageOf(world), { params, query: url.searchParams });
      expect(answer.status).toBe(200);
      expect(rowsOfTable(renderToString(answer.body))).toHaveLength(1);
    },
  );
});

describe('the runbook page', () => {
  const query = 'server=exch01.contoso.example&connector=Outbound%20to%20Internet&destination=203.0.113.25:25';
  const shown = (ask: Ask = {}): string => htmlOf(runbookPage, { params: { name: 'DestinationDown' }, query, ...ask });

  test('has the live state on top: count, last error, the probe with each step, and a link to the reason', () => {
    const html = shown();
    const text = textOf(html);
    expect(text).toContain('Right now Outbound to Internet → 203.0.113.25:25 Unreachable');
    expect(text).toContain('14 errors logged by exch01.contoso.example, the last at 08:14:30 UTC (4 min ago)');
    expect(text).toContain('✖ TCP connection connection refused in 2 ms connect ECONNREFUSED 203.0.113.25:25');
    expect(hrefsOf(html)).toContain(`/runbooks/reasons?${query}#refused`);
    expect(text.indexOf('Right now')).toBeLessThan(text.indexOf('Meaning'));
  });

  test('says what ping, the diagnosis and the events around the errors tell, and the next command', () => {
    const ping = { at: now - 60_000, program: 'ping', state: 'done', sent: 5, received: 5 } as const;
    const page = pageOf({ ...mailWorld, ...happenings });
    const entryOf = (destination: string) => ({ ...page.board.entry(destination)!, ping });
    const changed = { ...page, board: { ...page.board, entry: entryOf } };
    const asked = { params: { name: 'DestinationDown' }, query: new URLSearchParams(query) };
    const answer = shownBy(runbookPage, { ...changed, rows: finish(rowsOf(changed, now)) }, asked);
    const text = textOf(renderToString(answer.body));
    const [live = ''] = text.split('Meaning');
    expect(live).toContain('Ping: 5 of 5 echoes came back');
    expect(live).toContain('Events within 5 minutes of its errors');
    expect(live).toContain('mail.fabrikam.example');
    expect(live).toMatch(/Next, on exch01\.contoso\.example \( ?PowerShell ?\): .* Test-NetConnection/);
  });

  test('fills in the names of the alert', () => {
    const text = textOf(shown());
    expect(text).toContain('Get-SendConnector " Outbound to Internet " | Format-List');
    expect(text).toContain('Test-NetConnection 203.0.113.25 -Port 25 -InformationLevel');
  });

  test('without labels the placeholders stay, and no live state is claimed', () => {
    const text = textOf(shown({ query: '' }));
    expect(text).toContain('Get-SendConnector "<connector>"');
    expect(text).not.toContain('Right now');
  });

  test.each([
    '"; Remove-Mailbox *; "',
    '$(calc)',
    '`calc`',
    'A”; calc; “',
    'a\nb',
    'safe \u202e evil',
    "x'y",
    'ends with \\',
  ])('a connector called %j is not put into a command', (connector) => {
    const text = textOf(shown({ query: new URLSearchParams({ connector }).toString() }));
    expect(text).toContain('Get-SendConnector "<connector>"');
  });

  test.each(['*', 'Out*', 'a?b', '[ab]'])(
    '16.6: a connector called %j is picked out by its name, not by a pattern',
    (connector) => {
      const texts = new Map([
        ['X', '# X\n\n```\nGet-SendConnector "<connector>" | fl\nSet-SendConnector "<connector>" -Port 25\n```\n'],
      ]);
      const html = runbooksOf(texts).show('X', { connector }, linksOf(undefined))?.html ?? '';
      expect(html.replace(/<[^>]*>/g, '').replaceAll('&quot;', '"')).toBe(
        `Get-SendConnector | Where-Object { $_.Name -eq "${connector}" } | fl\n` +
          `Get-SendConnector | Where-Object { $_.Name -eq "${connector}" } | Set-SendConnector -Port 25\n`,
      );
    },
  );

  test('unquoted places take no blanks and no operators', () => {
    for (const server of ['a b', 'a;b', 'a|b', '-Force', 'a&b', '$x', 'ex*', '[ab]', String.raw`a\u200Eb`]) {
      const text = textOf(shown({ query: new URLSearchParams({ server }).toString() }));
      expect(text).toContain('Ask Exchange on <server>');
    }
  });

  test('what nobody knows is said so, as text', () => {
    const html = shown({ query: new URLSearchParams({ connector: `${evil}!` }).toString() });
    expect(html).not.toContain('<img');
    expect(textOf(html)).toContain('This exporter does not know connector=<img src=x onerror=alert(1)>!');
  });

  test('a label of the server fits in any case, and several rows are all there', () => {
    const html = shown({ query: 'server=EXCH02.CONTOSO.EXAMPLE&connector=To+Partner+Fabrikam' });
    expect(textOf(html)).toContain('1 more row fits this alert');
  });

  test('an alert about a source shows that source', () => {
    const text = textOf(shown({ query: 'source=/var/log/winlogbeat/*.ndjson' }));
    expect(text).toContain('Follows 2 files.');
  });

  test('links stay within the runbooks or go to the web; nothing runs', () => {
    const html = shown();
    expect(hrefsOf(html).filter((href) => /javascript|README/.test(href))).toEqual([]);
    expect(html).toContain('<a href="https://learn.microsoft.com/exchange/" rel="noreferrer">Microsoft</a>');
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  test('a reason has its anchor, whatever else its heading says', () => {
    const html = htmlOf(runbookPage, { params: { name: 'reasons' } });
    expect(html).toContain('<h2 id="refused">');
    expect(html).toContain('<span id="timeout"></span>');
    expect(html).toContain('<h2 id="certificate_expired">');
  });

  test.each(['../secret', '..%2f..%2fpackage', 'constructor', '__proto__', 'DestinationDown.md', ''])(
    '%j is no runbook',
    (name) => {
      expect(answerOf(runbookPage, { params: { name } }).status).toBe(404);
    },
  );

  test('the index lists every runbook, or shows the README', () => {
    const html = htmlOf(runbookIndexPage);
    for (const name of runbookTexts.keys()) expect(hrefsOf(html)).toContain(`/runbooks/${name}`);
    const withReadme = {
      ...pageOf(mailWorld),
      runbooks: runbooksOf(new Map([...runbookTexts, ['README', '# Start here\n\n[down](DestinationDown.md)\n']])),
    };
    const readme = renderToString(
      shownBy(runbookIndexPage, withReadme, { params: {}, query: new URLSearchParams() }).body,
    );
    expect(readme).toContain('Start here');
    expect(hrefsOf(readme)).toEqual(['/runbooks/DestinationDown']);
  });
});

describe('the frame', () => {
  test('every address is below the path of the external URL', () => {
    const world = mailWorld;
    const answer = answerOf(statusPage, { world, externalUrl: 'https://monitor.example/exchange/' });
    const { links } = pageOf(world, 'https://monitor.example/exchange/');
    const frame = {
      links,
      version: '1',
      telemetryPath: '/metrics',
      assets: { style: '/exchange/s', script: '/exchange/j', icon: '/exchange/i' },
    };
    const hrefs = hrefsOf(documentOf(answer, frame)).filter((href) => !href.startsWith('#'));
    expect(hrefs.length).toBeGreaterThan(20);
    for (const href of hrefs) expect(href).toMatch(/^\/exchange\//);
  });

  test('tables have captions, heads have scopes, and there is no inline script, style or handler', () => {
    for (const page of [statusPage, runbookIndexPage]) {
      const html = htmlOf(page);
      expect(html.match(/<table/g)?.length ?? 0).toBe(html.match(/<caption/g)?.length ?? 0);
      expect(html).not.toMatch(/<th(?![^>]*scope=)[ >]/);
      expect(html).not.toMatch(/ style=| on\w+="/);
    }
  });
});

test('3.4: while a backlog is read the status page says how far it is, not that there are no errors', () => {
  const backlog = { leftBytes: 768 * 2 ** 20, secondsLeft: 40 };
  const empty = textOf(htmlOf(statusPage, { world: { backlog } }));
  expect(empty).toContain('Reading 768 MiB, about 40 s left.');
  expect(empty).not.toMatch(/no error/i);
  const broken = textOf(
    htmlOf(statusPage, { world: { ...mailWorld, backlog: { ...backlog, secondsLeft: undefined } } }),
  );
  expect(broken).toContain('Reading 768 MiB.');
  expect(broken).toContain(textOf(htmlOf(statusPage)).slice(0, 40));
});
