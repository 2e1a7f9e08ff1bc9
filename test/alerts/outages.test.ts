/** Eight hours of outages in fast motion: what fires, how often it begins, and when it ends, for every pace of retries. */
import { describe, expect, it } from 'vitest';
import { rulesFile } from '../../alerts/generate.js';
import { thresholds } from '../../alerts/thresholds.js';
import { hasProgram } from '../support/programs.js';
import { beginsAt, endsAt, errorsOf, seriesOf, simulatedSeconds, type Outage, type Trouble } from './outages.js';
import { promtoolSays, rulesNamed, rulesWithoutTexts, rulesWithSharedParts, type QueryTest } from './rule-tests.js';

const paces = ['mailbox', 'edge'] as const;
const probings = ['off', 'passes', 'fails'] as const;
const base = { retries: 'edge', connectSeconds: 21, scrapeSeconds: 60, probing: 'off', trouble: 'none' } as const;

/** Every pace, connect time, scrape interval and kind of probing. */
const calm = paces.flatMap((retries) =>
  [0, 21, 60].flatMap((connectSeconds) =>
    [15, 30, 60, 300].flatMap((scrapeSeconds) =>
      probings.map((probing, place): Outage => {
        const known = (connectSeconds + scrapeSeconds + place) % 2 === 0;
        return { retries, connectSeconds, scrapeSeconds, probing, trouble: 'none', known };
      }),
    ),
  ),
);

const troubles: readonly Trouble[] = [
  'early gap',
  'late gap',
  'lost state',
  'pair',
  'pair, one restarted',
  'pair, one an hour late',
  'pair, one gone',
  'pair, one lost its state',
];
const troubled = troubles.flatMap((trouble) =>
  paces.flatMap((retries) =>
    probings.flatMap((probing) =>
      (trouble.startsWith('pair') ? [60] : [60, 300]).map((scrapeSeconds, place): Outage => {
        return { ...base, retries, probing, scrapeSeconds, trouble, known: place === 0 };
      }),
    ),
  ),
);
/** One error, and one burst, that heal. */
const glitches = (['none', ...troubles] as const).flatMap((trouble) =>
  [1, 4].flatMap((errors) => [true, false].map((known): Outage => ({ ...base, trouble, errors, known }))),
);

const name = ({ retries, connectSeconds, scrapeSeconds, probing, trouble, errors, known }: Outage): string =>
  [
    retries,
    `connect ${connectSeconds}s`,
    `scrape ${scrapeSeconds}s`,
    `probing ${probing}`,
    trouble,
    errors === undefined ? 'outage' : `glitch of ${errors}`,
    known ? 'known' : 'new',
  ].join('; ');

const firing = (matchers = ''): string => `ALERTS{alertstate="firing", scope!="exporter"${matchers}}`;
const at = (seconds: number): string => `${Math.ceil(seconds / 60)}m`;
const none = (expr: string, seconds: number): QueryTest => ({ expr, eval_time: at(seconds), exp_samples: [] });

/** How many of these outages an alert told of: of `count` all, of no other alert any. */
function told(matchers: string, expected: Readonly<Record<string, number>>): QueryTest {
  const once = `count by (alertname, job) (count_over_time(${firing(matchers)}[${at(simulatedSeconds)}]))`;
  return {
    expr: `count by (alertname) (${once})`,
    eval_time: at(simulatedSeconds),
    exp_samples: Object.entries(expected)
      .filter(([, value]) => value > 0)
      .map(([alertname, value]) => ({ labels: `{alertname="${alertname}"}`, value })),
  };
}

/** The alerts that an outage of one destination can raise; all others have nothing to look at here. */
const ofOneDestination = new Set([
  'DestinationDown',
  'DestinationFailingWithoutErrors',
  'SendConnectorErrorsPersist',
  'SendConnectorErrorsRepeated',
  'SendConnectorError',
  'ErrorsDespiteHealthyProbes',
]);

/** @param evaluation how often the rules are evaluated */
async function simulated(
  outages: readonly Outage[],
  queries: readonly QueryTest[],
  evaluation: string,
): Promise<string> {
  // Short names, for Prometheus compares them all the time; what promtool says has the long ones.
  const job = (place: number): string => `send-connector-${outages[place]!.probing}-${place}`;
  const input_series = outages.flatMap((outage, place) => seriesOf(job(place), outage));
  const test = { name: 'simulated', interval: '15s', input_series, promql_expr_test: queries };
  const rules = rulesWithSharedParts(rulesWithoutTexts(rulesNamed(rulesFile(), ofOneDestination)));
  const said = await promtoolSays([test], rules, evaluation);
  return said.replace(
    /job="send-connector-\w+-(\d+)"/g,
    (_all, place: string) => `job="${name(outages[Number(place)]!)}"`,
  );
}

/** What fires for each kind of probing, for as many outages of it. */
function expected(outages: readonly Outage[]): QueryTest[] {
  const of = (probing: Outage['probing']): number => outages.filter((one) => one.probing === probing).length;
  const common = (count: number): Record<string, number> => ({
    SendConnectorError: count,
    SendConnectorErrorsRepeated: count,
  });
  return [
    told(', job=~".*-off-.*"', { ...common(of('off')), SendConnectorErrorsPersist: of('off') }),
    told(', job=~".*-passes-.*"', { ...common(of('passes')), ErrorsDespiteHealthyProbes: of('passes') }),
    told(', job=~".*-fails-.*"', { ...common(of('fails')), DestinationDown: of('fails') }),
  ];
}

/** An hour after the last error, the five minutes of an outage, a slow scrape and an evaluation: all is over. */
const overAt = endsAt + thresholds.errorSeconds + thresholds.outageKeepSeconds + thresholds.slowestScrapeSeconds + 60;
/** The mend comes 8 minutes after the last error; a visit, a scrape and the five minutes of an outage later it is known. */
const overWhereProbedAt = endsAt + (8 + 5 + 5 + 5 + 2) * 60;
/** The first half hour of errors, a retry, a scrape, and the steps in which errors are compared. */
const criticalAt = beginsAt + thresholds.lastingSeconds + (31 + 5 + 12) * 60;

/** Last error of the outage that ends first; the others go on for another retry at most. */
const lastError = Math.min(...[...calm, ...troubled].map((outage) => errorsOf(outage).at(-1)!));

/** An alert that begins again has another time of its start. */
const noSecondStart = none(
  `changes(ALERTS_FOR_STATE{scope!="exporter"}[${at(simulatedSeconds)}]) > 0`,
  simulatedSeconds,
);
const ofOutages: readonly QueryTest[] = [
  noSecondStart,
  // What has fired and did not begin again has not ended either when it fires at the last error.
  none(`last_over_time(${firing()}[${at(lastError)}]) unless ${firing()}`, lastError),
  none(firing(), overAt),
  none(firing(', job=~".*-fails-.*"'), overWhereProbedAt),
];

describe.skipIf(!hasProgram('promtool')).concurrent('3.2 an outage of eight hours', { timeout: 480_000 }, () => {
  it.each([
    ['15 and 30 seconds', (seconds: number) => seconds < 60, '3m'],
    ['1 and 5 minutes', (seconds: number) => seconds >= 60, '2m'],
  ])(
    '3.3 is told once, critical where nothing is probed, goes on while errors go on, and is over soon after: scraped every %s',
    async (_what, chosen, evaluation) => {
      const outages = calm.filter(({ scrapeSeconds }) => chosen(scrapeSeconds));
      const unwell = outages.filter(({ probing }) => probing !== 'passes').length;
      const critical = `count(count by (job) (${firing(', severity="critical"')}))`;
      const said = await simulated(
        outages,
        [
          ...ofOutages,
          ...expected(outages),
          { expr: critical, eval_time: at(criticalAt), exp_samples: [{ value: unwell }] },
        ],
        evaluation,
      );
      expect(said, said.slice(0, 6000)).toContain('SUCCESS');
    },
  );

  it('3.5 is so with a gap of scraping, a lost state, or a pair of exporters of which one fails', async () => {
    const said = await simulated(troubled, [...ofOutages, ...expected(troubled)], '3m');
    expect(said, said.slice(0, 6000)).toContain('SUCCESS');
  });

  it('is not made of one error or one burst, whatever happens to exporters and scrapes', async () => {
    const bursts = glitches.filter(({ errors }) => errors === 4).length;
    const said = await simulated(
      glitches,
      [
        noSecondStart,
        told('', { SendConnectorError: glitches.length, SendConnectorErrorsRepeated: bursts }),
        none(firing(), beginsAt + 2 * 3600),
      ],
      '3m',
    );
    expect(said, said.slice(0, 6000)).toContain('SUCCESS');
  });
});
