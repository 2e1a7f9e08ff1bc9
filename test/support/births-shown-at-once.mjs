/** Loaded before the built exporter: its ledger shows scrapers new series at once, with the errors that they are born with. */
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) register(import.meta.url);

/** Who imports the ledger gets this file in its place. */
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const isLedger = found.url.endsWith('/dist/ledger/ledger.js') && context.parentURL !== import.meta.url;
  return isLedger ? { ...found, url: import.meta.url } : found;
}

export async function openLedger(options) {
  const { openLedger: open } = await import('../../dist/ledger/ledger.js');
  const ledger = await open(options);
  return { ...ledger, scrape: () => ({ ...ledger.scrape(), rows: ledger.rows() }) };
}
