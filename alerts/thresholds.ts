/** Every number an alert decides by, in one place and with its reason. */

/**
 * Exchange tries a destination again a few times a minute apart, then every 5 minutes (Edge 10), then every 10 (Edge 30);
 * a message is tried again after 15 minutes. This is the slowest of them.
 * Source: Microsoft, "Message retry, resubmit, and expiration intervals".
 */
const longestRetrySeconds = 30 * 60;
/** A retry begins when the one before has failed: Windows gives up a connection after 21 seconds, a proxy after a minute. */
const longestConnectSeconds = 60;
/** What the alerts are made for: the slowest scraping, and the longest gap in it that must end nothing. */
const slowestScrapeSeconds = 5 * 60;
const longestGapSeconds = 20 * 60;
/** Time between two errors of one outage as Prometheus sees them, at most; the rest up to an hour is for slow shippers. */
const longestSilenceSeconds = longestRetrySeconds + longestConnectSeconds + slowestScrapeSeconds + longestGapSeconds;

/**
 * Durations are seconds and end in `Seconds`; `scaled` shortens them all for a replay in fast motion. An outage is a
 * handful of events an hour, so what looks for errors looks back far enough to hold as many of the slowest retries as it
 * asks for: a shorter window would tell of a recovery between two retries, while errors go on.
 */
export const thresholds = {
  longestRetrySeconds,
  longestConnectSeconds,
  slowestScrapeSeconds,
  longestGapSeconds,
  /** How long an error is news: until the next retry must have been seen. */
  errorSeconds: Math.ceil(longestSilenceSeconds / 600) * 600,
  /** A clock that is further behind than this is wrong; others differ by less. */
  clockSeconds: 5 * 60,
  /** Errors that make it "again and again": an outage gives four in its first four minutes, a glitch one or two. */
  repeatedErrors: 3,
  /** Window that holds three of the slowest retries, also with a gap in it. */
  repeatedWindowSeconds: 2 * 60 * 60,
  /** Errors this far apart are of an attempt and its retries: the first retries come a minute apart. */
  retryApartSeconds: 2 * 60,
  /** Errors this far apart are no glitch, whatever is known besides: an outage, where no probe tells of it sooner. */
  lastingSeconds: 30 * 60,
  /** An attempt that came through within this time, by the transport logs, speaks against a Send connector that fails. */
  cameThroughSeconds: 10 * 60,
  /** Destinations with an error within this time are those that a Send connector is known to use. */
  triedSeconds: 24 * 60 * 60,
  /** A failing visit beside an error are two witnesses; one minute only lets both arrive. */
  outageForSeconds: 60,
  /** An outage goes on for this long after it seems over: a destination that comes and goes is one page, not ten. */
  outageKeepSeconds: 5 * 60,
  /** Destinations that must be down before their connector is: one destination speaks for itself. */
  connectorDestinations: 2,
  /** How far back the latest probe result may lie: a missed scrape or two must not end an alert. */
  latestProbeSeconds: 2 * slowestScrapeSeconds,
  /** How far back it may lie when nothing newer is known at all: longer than a gap of scraping. */
  probeMemorySeconds: longestGapSeconds + 2 * slowestScrapeSeconds,
  /** Errors while every probe succeeds: at least two, so that one glitch which healed stays a single error. */
  healthyProbesErrors: 2,
  /** Window that holds two of the slowest retries, also with a gap in it. */
  healthyProbesWindowSeconds: 90 * 60,
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
  /** What the exporter said last of itself holds over a gap of scraping. */
  selfMemorySeconds: longestGapSeconds + 2 * slowestScrapeSeconds,
  /** A counter that was there within this time was not born since. */
  bornSeconds: 24 * 60 * 60,
  /** Failed saves: reading stops at the first one and is tried again within seconds. */
  saveFailureSeconds: 15 * 60,
  /** Unread bytes and no save for this long: saving hangs without an error. */
  saveAgeSeconds: 10 * 60,
  saveWaitSeconds: 5 * 60,
  /** An Application log without a single record for a day: Exchange writes some every hour. */
  sourceSilentSeconds: 24 * 60 * 60,
  /** How long missing records, and errors counted as `other`, are shown. */
  lossShownSeconds: 60 * 60,
  /** Long enough to save a file twice while editing it. */
  reloadFailedSeconds: 5 * 60,
  /** The inventory is meant to be exported daily; a week is a task that no longer runs. */
  inventoryAgeSeconds: 7 * 24 * 60 * 60,
  /** Requests without a valid login: a sender repeats them, a stranger who tries the door once does not. */
  refusedLogins: 5,
  /** Failed TLS handshakes: a sender or scraper tries again every minute; a scan of ports tries a few times. */
  failedHandshakes: 10,
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
