/** The memory that all senders of this process share: what they send waits in it, and one after the other is unpacked in it. */
import { createStock } from './blocks.js';
import { createUnpacker } from './inflate.js';

/** Of one request or compressed frame once it is unpacked. */
export const mostUnpacked = 32 * 1024 * 1024;
/** Of all that wait to be unpacked. */
const mostWaiting = 8 * 1024 * 1024;

export const stock = createStock(mostWaiting);
export const unpacker = createUnpacker(mostUnpacked);
