/** The prober of the built exporter, without anything around it: makes as many visits as a line on its input asks for. */
import { createInterface } from 'node:readline';
import { createPolicy } from '../dist/probes/policy.js';
import { createProber } from '../dist/probes/probe.js';
import { targetOf } from '../dist/probes/targets.js';

const target = targetOf(process.argv[2], 'configured');
const policy = createPolicy({ allow: ['127.0.0.1'], ports: ['1-65535'] });
const { signal } = new globalThis.AbortController();
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const { what, atATime, count } = JSON.parse(line);
  // There is no visit that only connects: for `tcp` as for `ehlo` it connects, is greeted, says EHLO and QUIT.
  const settings = { ignoreStartTls: what !== 'starttls' };
  let left = count;
  const prober = createProber({ policy, ehloName: 'bench.contoso.example' });
  // One destination is visited once at a time: each worker has a prober of its own.
  const worker = async (each) => {
    while (left-- > 0) {
      const [result] = await each.visit({ ...target, settings }, signal);
      if (!result.success) throw new Error(`${what}: ${result.failedStep} ${result.reason}`);
    }
  };
  const probers = [prober, ...Array.from({ length: atATime - 1 }, () => createProber({ policy }))];
  await Promise.all(probers.map(worker));
  console.log('done');
}
