/** Shifts the clock on the wall of a process by the milliseconds that stand in a file; loaded with `node --import`. */
import { readFileSync } from 'node:fs';

const file = process.env.CLOCK_SHIFT_FILE;
const realNow = Date.now;
let shift = 0;

if (file !== undefined) {
  setInterval(() => {
    shift = Number(readFileSync(file, 'utf8')) || 0;
  }, 20).unref();
  globalThis.Date = class extends Date {
    constructor(...args) {
      super(...(args.length === 0 ? [realNow() + shift] : args));
    }
    static now() {
      return realNow() + shift;
    }
  };
}
