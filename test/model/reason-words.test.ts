/** The words for people: every step and reason has them, and the verb claims no more than the step. */
import { expect, test } from 'vitest';
import { diagnoses, reasons, stepNames } from '../../src/model/words.js';
import { diagnosisWords, failureVerb, reasonWords, stepWords } from '../../src/model/reason-words.js';

/** Not TIME_WAIT, which is a word of the trade. */
const codeWord = /[a-z]_[a-z]/;

test('every reason, step and diagnosis has words, none of them a code word', () => {
  for (const reason of reasons) {
    expect(reasonWords[reason].what, reason).toMatch(/^[A-Za-z].*[^.]$/);
    expect(reasonWords[reason].suspect, reason).toMatch(/\.$/);
    expect(`${reasonWords[reason].what} ${reasonWords[reason].suspect}`).not.toMatch(codeWord);
  }
  for (const word of diagnoses) expect(diagnosisWords[word]).toMatch(/^[^_]{10,}$/);
  for (const step of stepNames) expect(stepWords[step]).not.toMatch(codeWord);
});

test('only a connection that did not come about is "cannot reach"', () => {
  for (const step of stepNames)
    for (const reason of reasons)
      expect(failureVerb(step, reason) === 'cannot reach', `${step} ${reason}`).toBe(step === 'dns' || step === 'tcp');
});

test.each([
  ['tcp', 'refused', 'cannot reach'],
  ['dns', 'name_not_found', 'cannot reach'],
  ['banner', 'banner_5xx', 'is refused by'],
  ['banner', 'banner_timeout', 'connects, but gets no answer from'],
  ['banner', 'not_smtp', 'connects, but gets no SMTP from'],
  ['ehlo', 'closed_by_remote', 'connects, but is cut off by'],
  ['starttls', 'starttls_not_offered', 'fails TLS with'],
  ['tls', 'certificate_expired', 'fails TLS with'],
  ['tls', 'reset', 'fails TLS with'],
  ['ehlo_tls', 'client_certificate_required', 'fails TLS with'],
  ['ehlo_tls', 'ehlo_rejected', 'is refused by'],
] as const)('%s, %s: a Send connector %s it', (step, reason, verb) => {
  expect(failureVerb(step, reason)).toBe(verb);
});
