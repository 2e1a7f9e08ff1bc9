/** The steps of a proof: each says what holds and how long that took, and the first that does not hold ends it. */
import { createServer } from 'node:net';

/** @throws what the step threw, after a line that names it */
export async function step(what, act) {
  const start = performance.now();
  const result = await Promise.resolve()
    .then(act)
    .catch((error) => {
      console.log(`FAILED ${what}: ${error.message}`);
      throw error;
    });
  console.log(`ok ${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${what}`);
  return result;
}

export function expect(holds, why) {
  if (!holds) throw new Error(why);
}

/** Asks again and again; what it throws counts as not yet, unless it says that a count fell. */
export async function until(what, reached, patience = 60_000) {
  const end = performance.now() + patience;
  for (;;) {
    const is = await reached().catch((error) => {
      if (String(error.message).includes('fell')) throw error;
      return false;
    });
    if (is) return;
    if (performance.now() > end) throw new Error(`expected within ${patience / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
