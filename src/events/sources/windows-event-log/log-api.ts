/** What the reader needs of the Windows event log, so that its rules can be tested where there is none. */

export type LogApi = {
  /**
   * Begins right after the bookmark, or at the oldest record when there is none.
   * @throws WindowsError
   */
  readonly subscribe: (channel: string, query: string, bookmark: string | undefined) => Subscription;
  /** XML of the newest record that fits the query. @throws WindowsError */
  readonly newest: (channel: string, query: string) => string | undefined;
};

export type Subscription = {
  /**
   * The next records as XML, undefined for one that Windows cannot show; never waits.
   * @throws WindowsError: 259 or 4317 when there are none; after any other the subscription is of no more use
   */
  readonly next: (count: number) => readonly (string | undefined)[];
  /** Bookmark of the last record that `next` gave, as XML. */
  readonly bookmark: () => string;
  /** Waits until Windows signals new records, or until the time is over. */
  readonly wait: (ms: number) => Promise<void>;
  /** Takes the signal back. */
  readonly reset: () => void;
  readonly close: () => void;
};

/** Which record a bookmark stands at; a cleared log may give the same number to another. */
export type Place = {
  readonly bookmark: string;
  readonly recordId: number;
  readonly time: number | undefined;
};

/** What the reader tells, one JSON text a line. */
export type ReaderLine =
  /** Records and the place behind the last of them: entered together or not at all. */
  | ({
      readonly kind: 'records';
      readonly events: readonly string[];
      readonly dropped: number;
      readonly damaged: number;
    } & Place)
  /** All was read. Told now and then also when nothing happens, so that silence means trouble. */
  | { readonly kind: 'drained' }
  | { readonly kind: 'down'; readonly detail: string }
  | { readonly kind: 'reopened'; readonly detail: string }
  /** The bookmark is of no use: reading begins at the oldest record. */
  | { readonly kind: 'bookmark_lost'; readonly detail: string };

/** What the reader is told when it starts. */
export type ReaderRequest = { readonly channel: string; readonly after: Place | undefined };
