/** Every alert through 20 minutes without a scrape, and through a lost state: neither makes it begin again, nor another. */
import { describe, expect, it } from 'vitest';
import { rulesFile } from '../../alerts/generate.js';
import { alertsOf } from '../../alerts/rules.js';
import { thresholds } from '../../alerts/thresholds.js';
import { hasProgram } from '../support/programs.js';
import {
  committedTests,
  promtoolSays,
  rulesWithoutTexts,
  rulesWithSharedParts,
  samplesOf,
  secondsOf,
  type RuleTest,
} from './rule-tests.js';

type Fault = 'none' | 'gap' | 'lost state';
const minute = 60;
const heldSeconds = 90 * minute;

/** The test until its alert fires; from then on, with a fault or without, all stays as it is. */
function made({ name, interval, input_series }: RuleTest, firesAt: number, fault: Fault, place: number): RuleTest {
  const step = secondsOf(interval);
  const fill = (seconds: number, text: string): string[] => Array<string>(Math.ceil(seconds / step)).fill(text);
  const rest = (series: string, last: string): string[] => {
    if (fault === 'gap') return [...fill(20 * minute, '_'), ...fill(heldSeconds, last)];
    // The exporter is away for a minute and counts from zero; what is logged no more was logged before it.
    const lost = fault === 'lost state' && series.includes('_total{') && last !== '_' ? '0' : last;
    return [...fill(5 * minute, last), ...fill(minute, lost === last ? last : 'stale'), ...fill(heldSeconds, lost)];
  };
  const held = input_series.map(({ series, values }) => {
    const until = samplesOf(values).slice(0, Math.floor(firesAt / step) + 2);
    return { series, values: [...until, ...rest(series, until.at(-1) ?? '_')].join(' ') };
  });
  const total = Math.ceil((firesAt + heldSeconds + 30 * minute) / minute);
  const marked = (query: string): string =>
    `label_replace(count by (alertname) (${query}), "made", "${place}", "", "")`;
  const asked = (query: string) => ({ expr: marked(query), eval_time: `${total}m`, exp_samples: [] });
  return {
    name: `${name}; ${fault}`,
    interval,
    input_series: held,
    promql_expr_test: [
      asked(`count_over_time(ALERTS{alertstate="firing"}[${total}m])`),
      asked(`changes(ALERTS_FOR_STATE[${total}m]) > 0`),
    ],
  };
}

const firing = committedTests().flatMap((test) => {
  const fired = (test.alert_rule_test ?? []).filter(({ exp_alerts }) => exp_alerts.length > 0);
  const at = Math.min(...fired.map(({ eval_time }) => secondsOf(eval_time)));
  const names = fired.filter(({ eval_time }) => secondsOf(eval_time) === at).map(({ alertname }) => alertname);
  return fired.length === 0 ? [] : [{ test, at, names }];
});

/** What fired, and what began twice, for each place in the list. */
async function outcome(fault: Fault): Promise<{ fired: string[]; again: string[] }[]> {
  const tests = firing.map(({ test, at }, place) => made(test, at, fault, place));
  const said = await promtoolSays(tests, rulesWithSharedParts(rulesWithoutTexts(rulesFile())), '2m');
  const found = firing.map((): { fired: string[]; again: string[] } => ({ fired: [], again: [] }));
  for (const [, expr = '', got = ''] of said.matchAll(/expr: "(.*)", time: .*\n\s+exp: ?.*\n\s+got: ?(.*)/g))
    for (const [, alertname = '', place] of got.matchAll(/alertname="(\w+)", made="(\d+)"/g))
      found[Number(place)]![expr.includes('FOR_STATE') ? 'again' : 'fired'].push(alertname);
  return found;
}

let calmly: ReturnType<typeof outcome> | undefined;

describe.skipIf(!hasProgram('promtool')).concurrent('3.5 no second start and no false one, for every alert', () => {
  it.each(['gap', 'lost state'] as const)('%s', { timeout: 300_000 }, async (fault) => {
    const [calm, faulty] = await Promise.all([(calmly ??= outcome('none')), outcome(fault)]);
    const told = firing.map(({ test, names }, place) => ({
      name: test.name,
      names,
      calm: calm[place]!,
      faulty: faulty[place]!,
    }));
    for (const each of told) expect(each.calm.fired, each.name).toEqual(expect.arrayContaining(each.names));
    const worse = told.filter(
      (each) =>
        each.faulty.again.some((name) => !each.calm.again.includes(name)) ||
        each.faulty.fired.some((name) => !each.calm.fired.includes(name)),
    );
    expect(worse).toEqual([]);
    const all = told.flatMap(({ names }) => names);
    expect(new Set(all)).toEqual(new Set(alertsOf(thresholds).map(({ name }) => name)));
  });
});
