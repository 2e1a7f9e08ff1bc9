/** How a worker thread gets bcrypt: an expression of JavaScript. packaging/bundle.mjs puts the code itself here. */
import { createRequire } from 'node:module';

export const bcryptSource = `require(${JSON.stringify(createRequire(import.meta.url).resolve('bcryptjs'))})`;
