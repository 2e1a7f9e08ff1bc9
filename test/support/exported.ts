/** Send connectors as the exporter reads them from an export. */
import { decodeExport } from '../../src/inventory/export-file.js';
import type { SendConnector } from '../../src/model/connectors.js';

/** @throws when the export is wrong */
export function exportedConnectors(exported: unknown): readonly SendConnector[] {
  const read = decodeExport(Buffer.from(JSON.stringify(exported)));
  if (!read.ok) throw new Error(read.mistakes.join('; '));
  return read.connectors;
}
