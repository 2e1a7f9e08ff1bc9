/** Is TLS offered, and does the server agree to begin? */
import { isFailure } from '../reason.js';
import { fromWire, replyText, shown } from '../smtp-lines.js';
import type { Step, Visit } from './step.js';
import { tlsTroubleIsFatal } from '../tls-rules.js';

export const startTls: Step = {
  name: 'starttls',
  // A connector that is told to say HELO sees no offer; that is its own choice unless it also requires TLS.
  applies: ({ settings }) =>
    settings.ignoreStartTls !== true &&
    (settings.forceHelo !== true || tlsTroubleIsFatal('starttls_not_offered', settings)),
  fatal: tlsTroubleIsFatal,
  async run(visit) {
    const { talk, limits, extensions } = visit;
    if (!extensions.has('STARTTLS')) {
      return {
        reason: 'starttls_not_offered',
        detail: `expected STARTTLS among the extensions, got: ${offered(visit)}`,
      };
    }
    const reply = await talk.command('STARTTLS', limits.replyMs);
    if (isFailure(reply)) return reply;
    if (reply.code !== 220) {
      return { reason: 'starttls_rejected', detail: `expected 220 after STARTTLS, got: ${replyText(reply)}` };
    }
    visit.startTlsAgreed = true;
    // Whatever follows the 220 in clear text could be slipped in by a third party and taken for a protected reply
    // (CVE-2011-0411 and its kin): such a connection is not to be trusted, whatever the connector requires.
    const unread = talk.unread().length;
    if (unread === 0) return undefined;
    return {
      reason: 'starttls_rejected',
      detail: `the server sent ${unread} bytes in clear text after its 220 to STARTTLS (response injection)`,
      fatal: true,
    };
  },
};

function offered({ extensions, ehloRefusal }: Visit): string {
  if (ehloRefusal !== undefined) return shown(`none, for the server refused EHLO and accepted HELO: ${ehloRefusal}`);
  return extensions.size === 0 ? 'none' : fromWire([...extensions].slice(0, 20).join(' '));
}
