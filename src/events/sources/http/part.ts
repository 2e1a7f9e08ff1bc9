/** One listener for records over HTTP. */
import type { ListenAddress } from '../../../config/forms.js';
import type { Part } from '../source.js';

export type HttpPart = Part & {
  readonly listenAddress: ListenAddress;
  readonly webConfigFile?: string | undefined;
  readonly bearerTokenFile?: string | undefined;
  /** Of one request as it is sent. */
  readonly mostBytes: number;
};
