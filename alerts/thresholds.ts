/** Every number an alert decides by, in one place and with its reason. */

/**
 * Durations are seconds and end in `Seconds`; `scaled` shortens them all for a replay in fast motion.
 * Exchange retries a destination four times a minute apart, then six times 5 minutes apart (Edge 10), then every
 * 10 minutes (Edge 30); a message is tried again after 15 minutes. So an outage is a handful of events an hour, and
 * windows are 15 to 60 minutes: a 5-minute rate would go off and on between two retries.
 * Source: Microsoft, "Message retry, resubmit, and expiration intervals".
 */
export const thresholds = {
  /** How long one error is shown: as long as the slowest retry (Edge, 30 minutes), so that it stays until the next. */
  singleErrorSeconds: 30 * 60,
  /** Errors that make it "again and again": an outage gives four in its first four minutes, a glitch one or two. */
  repeatedErrors: 3,
  /** Window for repeated errors: at the slowest retry of a mailbox server (15 minutes) it still holds four. */
  repeatedWindowSeconds: 60 * 60,
  /** How fresh an error must be for a failing probe to mean an outage of mail: twice the slowest retry. */
  outageErrorSeconds: 60 * 60,
  /** A failing visit beside an error are two witnesses; one minute only lets both arrive. */
  outageForSeconds: 60,
  /** An outage goes on for this long after it seems over: a destination that comes and goes is one page, not ten. */
  outageKeepSeconds: 5 * 60,
  /** Destinations that must be down before their connector is: one destination speaks for itself. */
  connectorDestinations: 2,
  /** Connectors that must be down before it is their server. */
  egressConnectors: 2,
  /** How far back the latest probe result may lie: a missed scrape or two must not end an alert. */
  latestProbeSeconds: 10 * 60,
  /** Errors while every probe succeeds: at least two, so that one glitch which healed stays a single error. */
  healthyProbesErrors: 2,
  healthyProbesWindowSeconds: 30 * 60,
  /** Quiet failure of a destination: three visits of a stranger's host (one each 5 minutes) before we say so. */
  quietFailureSeconds: 15 * 60,
  /** Certificates: two working weeks to get a new one, and public certificates are renewed 30 days ahead. */
  certificateSeconds: 14 * 24 * 60 * 60,
  /** Certificate expiry is learnt once per visit; it holds over a visit that ended before TLS. */
  certificateMemorySeconds: 60 * 60,
  certificateForSeconds: 15 * 60,
  /** Loss that TCP feels; every ping within the window must lose at least this. */
  packetLossRatio: 0.1,
  packetLossWindowSeconds: 60 * 60,
  packetLossForSeconds: 30 * 60,
  /** Three to twelve missed scrapes at the usual 15 to 60 seconds: a restart of the exporter takes less. */
  exporterDownSeconds: 3 * 60,
  /** A source may be away while its log rotates or a share reconnects. */
  sourceDownSeconds: 5 * 60,
  /** Unread records older than this: alerts would come late. Exchange flushes its logs every 30 seconds. */
  sourceLagSeconds: 5 * 60,
  sourceMemorySeconds: 10 * 60,
  /** Failed saves: reading stops at the first one and is tried again within seconds. */
  saveFailureSeconds: 15 * 60,
  /** Unread bytes and no save for this long: saving hangs without an error. */
  saveAgeSeconds: 10 * 60,
  saveWaitSeconds: 5 * 60,
  /** An Application log without a single record for a day: Exchange writes some every hour. */
  sourceSilentSeconds: 24 * 60 * 60,
  /** How long records that never came, and errors counted as `other`, are shown. */
  lossShownSeconds: 60 * 60,
  /** Long enough to save a file twice while editing it. */
  reloadFailedSeconds: 5 * 60,
  /** The inventory is meant to be exported daily; a week is a task that no longer runs. */
  inventoryAgeSeconds: 7 * 24 * 60 * 60,
  /** How long unreadable records are shown. */
  unreadableSeconds: 60 * 60,
} as const satisfies Readonly<Record<string, number>>;

export type Thresholds = { readonly [Name in keyof typeof thresholds]: number };

/** The same thresholds with every duration multiplied, for example by 1/60 to replay an hour in a minute. */
export function scaled(factor: number): Thresholds {
  const entries = Object.entries(thresholds).map(([name, value]) => [
    name,
    name.endsWith('Seconds') ? value * factor : value,
  ]);
  return Object.fromEntries(entries) as Thresholds;
}

/**
 * A duration as Prometheus writes it, in its largest whole unit: 3600 is `1h`, 90 is `90s`, 0.5 is `500ms`.
 * @param seconds rounded to whole milliseconds, at least one
 */
export function duration(seconds: number): string {
  const ms = Math.max(1, Math.round(seconds * 1000));
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const;
  for (const [unit, size] of units) if (ms % size === 0) return `${ms / size}${unit}`;
  return `${ms}ms`;
}
