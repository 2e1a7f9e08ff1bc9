/** The diagnosis of a pair with errors, and the sentence that explains it. */
import type { LedgerRow } from '../model/batch.js';
import { reasonWords, stepWords } from '../model/reason-words.js';
import type { Diagnosis, Reason } from '../model/words.js';
import { getsConnection } from './egress.js';
import { type DiagnosisOptions, familyOf, type Probed, type WithoutEgress, type World } from './surroundings.js';
import { answers, cannotReach, clock, nameOf, pathWords, pingWords, shortened, whomOf, withStop } from './wording.js';

/** Exchange tries again after 1, 5 and 10 minutes: after twice the longest pause without an error it got through. */
const quietMs = 20 * 60_000;

type Verdict = { readonly word: Diagnosis; readonly sentence: string; readonly since: number | undefined };

export function verdictOf(row: LedgerRow, world: World): Verdict {
  const entry = world.probed.get(row.destination);
  const alone = world.withoutEgress.get(row.server);
  if (alone && alone.by !== 'probes alone') return withoutEgress(row, entry, alone, world);
  if (!entry) return unasked(row, world);
  if (entry.latest.success) return passing(row, entry, world);
  const { failedStep, reason = 'other' } = entry.latest;
  const since = entry.failingSince ?? entry.latest.at;
  // Inside TLS a server may still refuse the handshake, and may refuse us as it does anywhere else.
  const isTls = reason === 'client_certificate_required' || reason === 'tls_handshake';
  if (failedStep === 'starttls' || failedStep === 'tls' || (failedStep === 'ehlo_tls' && isTls))
    return { word: 'tls', since, sentence: afterConnect(row, entry, since, world) };
  if (failedStep !== undefined && getsConnection(entry.latest))
    return { word: 'smtp_refuses', since, sentence: afterConnect(row, entry, since, world) };
  const { word, rest } = connectVerdict(row, entry, reason, world);
  return { word, since, sentence: `${failsToConnect(row, entry, world)}; ${rest}.` };
}

function failsToConnect(row: LedgerRow, { latest, failingSince }: Probed, { now }: World): string {
  const { what } = reasonWords[latest.reason ?? 'other'];
  return `${cannotReach(row)}: ${what} since ${clock(failingSince ?? latest.at, now)}`;
}

/** The server reaches nothing: what every pair of it has in common. */
function withoutEgress(row: LedgerRow, entry: Probed | undefined, none: WithoutEgress, world: World): Verdict {
  const word = 'server_egress';
  const which = none.tried === 2 ? 'both' : `all ${none.tried}`;
  if (none.by === 'comparison') {
    const others = `${which} destinations of ${row.server} have errors while ${none.healthy} has none`;
    const probe = entry?.latest.success === true ? ' and the probe passes' : '';
    const route = `${nameOf(row.connector)} to ${row.destination}`;
    const sentence = `${route}: ${others}${probe}, so look at ${row.server} itself.`;
    return { word, since: undefined, sentence };
  }
  const failing = entry && !entry.latest.success ? entry : undefined;
  const begin = failing ? failsToConnect(row, failing, world) : cannotReach(row);
  const fail = {
    probes: 'fail',
    'probes of its own': `of ${row.server} fail, though probes reach others`,
    logs: `that ${row.server} tried recently fail to connect`,
  }[none.by];
  const rest = `${which} destinations ${fail}, so look at this side first: its route, firewall, provider or DNS`;
  return { word, since: failing && (failing.failingSince ?? failing.latest.at), sentence: `${begin}; ${rest}.` };
}

/** No connection: is it this destination, its connector, its address family, or this server? */
function connectVerdict(
  { server, connector }: LedgerRow,
  entry: Probed,
  reason: Reason,
  world: World,
): { readonly word: Diagnosis; readonly rest: string } {
  const { all } = world;
  if (world.withoutEgress.get(server)?.by === 'probes alone') {
    const rest = `no probe can connect, while ${server} can according to its own logs, so look at the network of the exporter first`;
    return { word: 'network_path', rest };
  }
  const family = familyOf(entry.destination);
  if (family && isFamilyAlone(family, world)) {
    const other = family === 6 ? 4 : 6;
    const rest = `only IPv${family} fails (${answers(world.families[other])} over IPv${other}), so IPv${family} has no route from here`;
    return { word: 'network_path', rest };
  }
  if (isNameTrouble(reason) || entry.latest.failedStep === 'dns')
    return { word: 'name_resolution', rest: reasonWords[reason].suspect.replace(/\.$/, '') };
  const own = world.connectors.get(connector);
  if (own && own.asked > 1 && own.passing === 0) {
    const elsewhere = { asked: all.asked - own.asked, passing: all.passing };
    const which = own.asked === 2 ? 'both' : `all ${own.asked}`;
    const rest = `${which} destinations of this connector fail while ${answers(elsewhere)} elsewhere, so look at what they share: smart hosts, source address, port`;
    return { word: 'connector_wide', rest };
  }
  return {
    word: isOnTheWay(reason, entry) ? 'network_path' : 'destination_down',
    rest: oneAlone(reason, entry, world),
  };
}

function isFamilyAlone(family: 4 | 6, { families }: World): boolean {
  const other = families[family === 6 ? 4 : 6];
  return families[family].passing === 0 && other.asked > 0 && other.passing === other.asked;
}

/** What routers said, or echoes lost in part, tells of the way; a refusal tells of the end of it. */
function isOnTheWay(reason: Reason, { ping }: Probed): boolean {
  if (reason === 'host_unreachable' || reason === 'network_unreachable') return true;
  if (reason === 'address_not_available' || reason === 'access_denied' || reason === 'no_buffers') return true;
  return reason === 'timeout' && ping?.state === 'done' && ping.received > 0 && ping.received < ping.sent;
}

function oneAlone(reason: Reason, entry: Probed, { all }: World): string {
  const others = { asked: all.asked - 1, passing: all.passing };
  const near = reason === 'address_not_available' || reason === 'access_denied' || reason === 'no_buffers';
  const where = near
    ? 'the cause is on this side: local firewall, antivirus, source address or used-up ports'
    : reason === 'refused'
      ? 'the remote service or a reject rule is likely, because the host itself answers'
      : 'the remote side or the path to it is likely';
  const hint = [pingWords(entry.ping), pathWords(entry.path)].filter((text) => text !== '').join(', ');
  const seen = others.asked === 0 ? 'nothing else is probed for comparison; ' : `${answers(others)}, so `;
  return `${hint === '' ? '' : `${hint}; `}${seen}${where}`;
}

function afterConnect(row: LedgerRow, { latest }: Probed, since: number, { now }: World): string {
  const { what, suspect } = reasonWords[latest.reason ?? 'other'];
  const step = latest.failedStep === undefined ? '' : ` at ${stepWords[latest.failedStep]}`;
  const said = latest.steps.find((each) => each.outcome === 'failed')?.detail;
  const words = said === undefined ? '' : ` ("${shortened(said)}")`;
  return `${nameOf(row.connector)} connects to ${row.destination}, but fails${step}: ${what}${words} since ${clock(since, now)}. ${suspect}`;
}

/** The probe gets through: either the trouble is over, or it comes and goes. */
function passing(row: LedgerRow, { latest, passingSince = latest.at }: Probed, { now }: World): Verdict {
  const erredAt = Math.min(row.lastErrorAt ?? now, row.lastObservedAt ?? now);
  const last = `last error at ${clock(erredAt, now)}`;
  const route = `${nameOf(row.connector)} to ${row.destination}`;
  if (erredAt < passingSince || now - erredAt >= quietMs) {
    const since = Math.max(erredAt, passingSince);
    const sentence = `${route} works again since ${clock(since, now)}: the probe passes and no error came after it (${last}).`;
    return { word: 'recovered', since, sentence };
  }
  const sentence = `${route}: errors continue on ${row.server} (${last}) although the probe has passed since ${clock(passingSince, now)}, so it is intermittent, or only that server or some of its mail is affected.`;
  return { word: 'intermittent', since: undefined, sentence };
}

/** Nobody looks. Where the logs tell of names that do not resolve, that is the answer all the same. */
function unasked(row: LedgerRow, { now, notProbed }: World): Verdict {
  const at = row.lastErrorAt ?? row.lastObservedAt;
  const told = Object.keys(row.failures) as Reason[];
  const [first] = told;
  const erred = errorsOf(row, at === undefined ? undefined : clock(at, now));
  if (first !== undefined && row.errors === 0 && told.every(isNameTrouble)) {
    const { what, suspect } = reasonWords[first];
    return { word: 'name_resolution', since: undefined, sentence: `${erred}: ${what}. ${suspect}` };
  }
  const logged = told.length === 0 ? '' : `: ${told.map((reason) => reasonWords[reason].what).join(', ')}`;
  const sentence = `${erred}${logged}. ${withStop(whyUnasked(row.destination, notProbed))}`;
  return { word: 'not_probed', since: undefined, sentence };
}

function whyUnasked(destination: string, notProbed: DiagnosisOptions['notProbed']): string {
  if (destination === 'other') return 'Not probed: these are all destinations beyond the limit, counted as one.';
  const why = notProbed(destination);
  if (why === undefined) return 'Not probed yet: its first probe is pending.';
  return /^not probed/i.test(why) ? why : `Not probed: ${why}`;
}

function isNameTrouble(reason: Reason): boolean {
  return reason.startsWith('name_') || reason === 'null_mx';
}

/** Nobody has looked since: only that there were errors is known, not that they go on. */
function errorsOf({ connector, destination, server, errors, failures }: LedgerRow, last: string | undefined): string {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  // An event and the failure of its moment are one error.
  const isOne = Math.max(errors, failed) === 1;
  const when = last === undefined ? '' : isOne ? ` at ${last}` : `, the last at ${last},`;
  return `${nameOf(connector)} had ${isOne ? 'one error' : 'errors'}${when} with ${whomOf(destination)} from ${server}`;
}
