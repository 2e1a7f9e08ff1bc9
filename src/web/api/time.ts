/** A time as the API writes it: ISO 8601 in UTC. */

/** @returns null for a time that is not known, and for one that the format has no four digits for its year */
export function timeOf(at: number | undefined): string | null {
  return at !== undefined && at >= firstTime && at < afterLastTime ? new Date(at).toISOString() : null;
}

const firstTime = Date.parse('0000-01-01T00:00:00Z');
const afterLastTime = Date.parse('9999-12-31T23:59:59.999Z') + 1;
