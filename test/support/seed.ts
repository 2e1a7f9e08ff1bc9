/**
 * Set-up of every test file: property tests draw the same inputs in every run, so that a failure comes again on every machine.
 * `SEED=random npm test`, or a seed that a failure printed, draws others.
 */
import fc from 'fast-check';

const wish = process.env.SEED;

if (wish !== 'random') fc.configureGlobal({ seed: wish === undefined ? 2002 : Number(wish) });
