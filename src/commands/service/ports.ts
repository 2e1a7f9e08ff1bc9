/** The ports of the configuration as an installation sets them up and a removal gives them back. */
import type { Config } from '../../config/config.js';
import type { Finding } from '../../health/findings.js';
import { closeFirewall, openFirewall, releasePort, reservePort } from './network.js';
import { noteReservedPorts, reservedPorts } from './registry.js';

/** Ports that the pages and metrics are on; `usual` where the configuration cannot be read. */
export function portsOf(config: Config | undefined, usual: number): readonly number[] {
  const ports = config?.web.listenAddresses.map(({ port }) => port) ?? [usual];
  return [...new Set(ports)].filter((port) => port !== 0);
}

type Opened = {
  readonly program: string;
  /** None leaves the firewall as it is. */
  readonly remoteAddresses: readonly string[];
  /** Whether these are all: a configuration that cannot be read may name others, whose reservation stays. */
  readonly areAll: boolean;
};

/** Reserves the ports, releases those of an earlier configuration, and opens the firewall. */
export async function openPorts(
  ports: readonly number[],
  { program, remoteAddresses, areAll }: Opened,
): Promise<Finding[]> {
  const findings = await reserve(ports, areAll);
  if (ports.length === 0) return findings;
  if (remoteAddresses.length > 0) findings.push(await openFirewall({ ports, program, from: remoteAddresses }));
  else {
    const remedy = 'send-connector-exporter service install --remote-addresses ADDRESS-OF-PROMETHEUS';
    const text = 'left as it is: no remote addresses were named';
    findings.push({ check: 'firewall', state: 'skipped', text, remedy });
  }
  return findings;
}

async function reserve(ports: readonly number[], areAll: boolean): Promise<Finding[]> {
  const before = await reservedPorts();
  const kept = areAll ? before.filter((port) => ports.includes(port)) : before;
  const findings: Finding[] = [];
  for (const port of before.filter((each) => !kept.includes(each))) findings.push(await releasePort(port));
  const ours = new Set(kept);
  for (const port of ports) {
    const { finding, isNew } = await reservePort(port);
    findings.push(finding);
    if (isNew) ours.add(port);
  }
  await noteReservedPorts([...ours]);
  return findings;
}

/** Takes the rule of the firewall and what installations have reserved away, and nothing that others have. */
export async function closePorts(): Promise<Finding[]> {
  await closeFirewall();
  const findings: Finding[] = [];
  for (const port of await reservedPorts()) findings.push(await releasePort(port));
  return findings;
}
