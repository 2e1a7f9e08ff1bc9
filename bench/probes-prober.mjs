/** The prober of the built exporter, without anything around it: makes as many visits as a line on its input asks for. */
import { createInterface } from 'node:readline';
import { createPolicy } from '../dist/probes/policy.js';
import { createProber } from '../dist/probes/visit.js';
import { targetOf } from '../dist/probes/targets.js';

const { ca, destinations } = JSON.parse(process.argv[2]);
const policy = createPolicy({ allow: ['127.0.0.0/8'], ports: ['1-65535'] });
const options = { policy, ehloName: 'bench.contoso.example' };
/** A connector that checks the certificate and its name: a visit fails when they are not right. */
const checking = { requireTls: true, tlsAuthLevel: 'DomainValidation', tlsDomain: 'mail.contoso.example' };
const asks = {
  tcp: { prober: createProber({ ...options, quitAfter: 'tcp' }) },
  ehlo: { prober: createProber({ ...options, quitAfter: 'ehlo' }) },
  starttls: { prober: createProber({ ...options, extraCa: ca }), settings: checking },
  unchecked: { prober: createProber(options) },
};
const { signal } = new globalThis.AbortController();
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const { what, atATime, count } = JSON.parse(line);
  const { prober, settings } = asks[what];
  let left = count;
  // One destination is visited once at a time: each worker has a destination of its own.
  const worker = async (destination) => {
    const target = { ...targetOf(destination, 'configured'), settings };
    while (left-- > 0) {
      const [result] = await prober.visit(target, signal);
      if (!result.success) throw new Error(`${what}: ${result.failedStep} ${result.reason}`);
    }
  };
  await Promise.all(destinations.slice(0, atATime).map(worker));
  console.log('done');
}
