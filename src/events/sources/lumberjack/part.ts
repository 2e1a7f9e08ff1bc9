/** One listener for Lumberjack. */
import type { ListenAddress } from '../../../config/forms.js';
import type { Part } from '../source.js';

export type LumberjackPart = Part & {
  readonly listenAddress: ListenAddress;
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string | undefined } | undefined;
  readonly clients: readonly { readonly subject: string; readonly server: string }[];
};
