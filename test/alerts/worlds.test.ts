/** Every rule in every network: its own tests again, with the labels that federation, rulers and pairs of exporters add. */
import { describe, expect, it } from 'vitest';
import { rulesFile } from '../../alerts/generate.js';
import { alertsOf } from '../../alerts/rules.js';
import { thresholds } from '../../alerts/thresholds.js';
import { hasProgram } from '../support/programs.js';
import {
  byAlerts,
  committedTests,
  promtoolSays,
  rulesNamed,
  rulesWithoutTexts,
  rulesWithSharedParts,
} from './rule-tests.js';
import { inWorld, worlds } from './worlds.js';

const tests = committedTests();
const rules = rulesFile();
const names = alertsOf(thresholds).map(({ name }) => name);

describe.skipIf(!hasProgram('promtool'))(
  '3.1 no rule fails to evaluate, and each fires, stays quiet and clears',
  () => {
    describe.concurrent.each(worlds)('in $name', (world) => {
      const made = tests.map((test) => inWorld(world, test));
      it('with the labels and texts that are expected', { timeout: 480_000 }, async () => {
        const withTexts = made.map((test) => ({ ...test, promql_expr_test: [] }));
        for (const [asked, group] of byAlerts(withTexts, names)) {
          const said = await promtoolSays(group, rulesWithSharedParts(rulesNamed(rules, asked)));
          expect(said, said.slice(0, 4000)).toContain('SUCCESS');
        }
      });

      if (!world.whole) return;
      it('through births, restarts and gaps', { timeout: 480_000 }, async () => {
        const withoutTexts = made.map((test) => ({ ...test, alert_rule_test: [] }));
        for (const [asked, group] of byAlerts(withoutTexts, names)) {
          const said = await promtoolSays(group, rulesWithSharedParts(rulesWithoutTexts(rulesNamed(rules, asked))));
          expect(said, said.slice(0, 4000)).toContain('SUCCESS');
        }
      });
    });

    it('for every alert', () => {
      const fired = tests
        .flatMap(({ alert_rule_test = [] }) => alert_rule_test)
        .filter(({ exp_alerts }) => exp_alerts.length > 0)
        .map(({ alertname }) => alertname);
      expect([...new Set(fired)].sort()).toEqual([...names].sort());
    });
  },
);
