/** What a page is: a path and a pure function from the books and a request to an answer. */
import type { VNode } from 'preact';
import type { Steps } from '../../runtime/breath.js';
import type { Links } from '../parts/links.js';
import type { Runbooks } from './runbooks.js';
import type { Books } from '../books.js';
import type { Row } from '../view.js';

export type PageContext = Books & {
  readonly links: Links;
  readonly runbooks: Runbooks;
  readonly version: string;
  readonly telemetryPath: string;
  /** Milliseconds since 1970 UTC; one moment for the whole page. */
  readonly now: number;
  /** Both books joined, latest error first; empty for a page that does not ask for them. */
  readonly rows: readonly Row[];
};

export type PageRequest = {
  /** Decoded parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
};

export type Answer = {
  readonly status: number;
  readonly title: string;
  /** Which entry of the navigation is this. */
  readonly section: 'status' | 'events' | 'runbooks' | undefined;
  readonly body: VNode;
  /** Send the browser there instead; the body is not shown. */
  readonly redirect?: string;
};

export type Page = {
  readonly path: string;
  /** Whether it reads the rows. */
  readonly needsRows: boolean;
  /** In steps where it looks at all rows. */
  readonly show: (context: PageContext, request: PageRequest) => Answer | Steps<Answer>;
};
