/** The list of pages. A new one is its own file and a line here. */
import { connectorPage } from './connector-page.js';
import { destinationPage } from './destination-page.js';
import { eventsPage } from './events-page.js';
import { generatedPage } from './generated-page.js';
import type { Page } from './page.js';
import { runbookIndexPage, runbookPage } from './runbook-page.js';
import { statusPage } from './status-page.js';

export const pages: readonly Page[] = [
  statusPage,
  connectorPage,
  destinationPage,
  eventsPage,
  runbookIndexPage,
  runbookPage,
  generatedPage,
];
