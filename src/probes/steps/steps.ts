/** The steps, in the order in which a visit asks. */
import { banner } from './banner.js';
import { ehlo } from './ehlo.js';
import { ehloTls } from './ehlo-tls.js';
import { quit } from './quit.js';
import { startTls } from './starttls.js';
import { tcp } from './tcp.js';
import { tlsHandshake } from './tls.js';
import type { Step } from './step.js';

/** The steps on one connection; `dns` comes before, once for all addresses of a name. */
export const steps: readonly Step[] = [tcp, banner, ehlo, startTls, tlsHandshake, ehloTls, quit];
