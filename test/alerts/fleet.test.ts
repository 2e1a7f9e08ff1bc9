/** Every alert about mail in every fleet: what a pair of exporters tells, or shards, or pairs of them, is what one would tell. */
import { describe, expect, it } from 'vitest';
import { rulesFile } from '../../alerts/generate.js';
import { alertsOf } from '../../alerts/rules.js';
import { thresholds } from '../../alerts/thresholds.js';
import { hasProgram } from '../support/programs.js';
import { inFleets } from './fleet-worlds.js';
import {
  byAlerts,
  committedTests,
  promtoolSays,
  rulesNamed,
  rulesWithoutTexts,
  rulesWithSharedParts,
} from './rule-tests.js';
import type { RuleTest } from './rule-tests.js';

const names = alertsOf(thresholds)
  .filter(({ group }) => group === 'mail')
  .map(({ name }) => name);

/** What is asked of alerts about mail, by their labels alone: the texts have tests of their own. */
const asked = committedTests().flatMap((test): RuleTest[] => {
  const alert_rule_test = (test.alert_rule_test ?? [])
    .filter(({ alertname }) => names.includes(alertname))
    .map(({ exp_alerts, ...rest }) => ({
      ...rest,
      exp_alerts: exp_alerts.map(({ exp_labels }) => ({ exp_labels, exp_annotations: {} })),
    }));
  const isOfOne = new Set(test.input_series.flatMap(({ series }) => /instance="([^"]*)"/.exec(series)?.[1] ?? [])).size;
  return alert_rule_test.length === 0 || isOfOne !== 1 ? [] : [{ ...test, alert_rule_test, promql_expr_test: [] }];
});

describe.skipIf(!hasProgram('promtool')).concurrent('19.3 two replicas, and two shards, are one truth', () => {
  it('every alert about mail', { timeout: 120_000 }, async () => {
    const tests = asked.flatMap((test) => inFleets(test));
    for (const [alerts, group] of byAlerts(tests, names)) {
      const rules = rulesWithSharedParts(rulesWithoutTexts(rulesNamed(rulesFile(), alerts)));
      const said = await promtoolSays(group, rules);
      expect(said, said.slice(0, 4000)).toContain('SUCCESS');
    }
  });

  it('each of them fires and is quiet', () => {
    const told = asked.flatMap(({ alert_rule_test = [] }) => alert_rule_test);
    const of = (isFiring: boolean): string[] => [
      ...new Set(told.filter(({ exp_alerts }) => exp_alerts.length > 0 === isFiring).map(({ alertname }) => alertname)),
    ];
    expect(of(true).sort()).toEqual([...names].sort());
    expect(of(false).sort()).toEqual([...names].sort());
  });
});
