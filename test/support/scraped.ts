/** Reads values off a page of metrics. */
import type { RunningExporter } from './exporter.js';

export const errorCounter = 'exchange_send_connector_connection_errors_total';

/** Values of one metric by their labels, as written; without labels the key is empty. */
export function series(page: string, name: string): Map<string, number> {
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return new Map(
    lines.map((line) => {
      const cut = line.lastIndexOf(' ');
      return [line.slice(name.length, cut), Number(line.slice(cut + 1))];
    }),
  );
}

/** Sum of the error counters. */
export function total(page: string): number {
  return [...series(page, errorCounter).values()].reduce((sum, value) => sum + value, 0);
}

/** Value of a metric whose labels contain a text. */
export async function valueOf(
  exporter: Pick<RunningExporter, 'scrape'>,
  name: string,
  labels = '',
): Promise<number | undefined> {
  const found = [...series(await exporter.scrape(), name)].find(([key]) => key.includes(labels));
  return found?.[1];
}
