/** The port of the service: kept out of the range of dynamic ports, and opened in the firewall for chosen addresses. */
import ipaddr from 'ipaddr.js';
import type { Finding } from '../../health/findings.js';
import { serviceName } from './definition.js';
import { commandText, systemProgram } from './system-program.js';

type PortRange = { readonly first: number; readonly last: number };

/**
 * Ranges in the answer of `netsh int ipv4 show excludedportrange`: lines of two numbers, whatever the language of the
 * words around them. An asterisk marks those that an administrator made.
 */
export function excludedRanges(output: string): PortRange[] {
  return output.split('\n').flatMap((line) => {
    const [first, last, mark, ...rest] = line.trim().split(/\s+/);
    const isRange = isPort(first) && isPort(last) && (mark === undefined || mark === '*') && rest.length === 0;
    return isRange ? [{ first: Number(first), last: Number(last) }] : [];
  });
}

/** The range in the answer of `netsh int ipv4 show dynamicport`: its first port and how many. */
export function dynamicRange(output: string): PortRange | undefined {
  const [first, count] = valuesOf(output);
  return first === undefined || count === undefined ? undefined : { first, last: first + count - 1 };
}

/** Numbers that stand alone behind a colon at the end of a line. */
function valuesOf(output: string): number[] {
  return output.split('\n').flatMap((line) => {
    const value = line.slice(line.lastIndexOf(':') + 1).trim();
    return line.includes(':') && isPort(value) ? [Number(value)] : [];
  });
}

/** Ports and ranges of ports that stand, between commas, behind a colon at the end of a line. */
function listedPorts(output: string): PortRange[] {
  return output.split('\n').flatMap((line) => {
    const each = line
      .slice(line.lastIndexOf(':') + 1)
      .trim()
      .split(',');
    const ranges = each.map((range) => range.split('-'));
    const areAll = line.includes(':') && ranges.every((range) => range.length <= 2 && range.every(isPort));
    return areAll ? ranges.map(([first, last = first]) => ({ first: Number(first), last: Number(last) })) : [];
  });
}

const isPort = (text: string | undefined): boolean => /^\d{1,5}$/.test(text ?? '');

const includes = ({ first, last }: PortRange, port: number): boolean => first <= port && port <= last;

const show = (what: 'excludedportrange' | 'dynamicport'): readonly string[] =>
  what === 'dynamicport'
    ? ['int', 'ipv4', 'show', 'dynamicport', 'tcp']
    : ['int', 'ipv4', 'show', 'excludedportrange', 'protocol=tcp'];

const change = (verb: 'add' | 'delete', port: number): string[] => [
  ...['int', 'ipv4', verb, 'excludedportrange', 'protocol=tcp', `startport=${port}`, 'numberofports=1'],
  ...(verb === 'add' ? ['store=persistent'] : []),
];

const check = 'port reservation';

/**
 * Exchange set-up widens the dynamic range to 6005-65535: a service may then be given the port before us.
 * @returns how it stands, and whether it was us who have reserved it now
 */
export async function reservePort(port: number): Promise<{ readonly finding: Finding; readonly isNew: boolean }> {
  const before = await reservation(port);
  if (before.state === 'ok') return { finding: before, isNew: false };
  const { output } = await systemProgram('netsh.exe', change('add', port));
  const after = await reservation(port);
  if (after.state === 'ok') return { finding: after, isNew: true };
  const text = output === '' ? after.text : `port ${port}: ${output.replace(/\s+/g, ' ')}`;
  const remedy = commandText('netsh', change('add', port));
  return { finding: { check, state: 'warning', text, remedy }, isNew: false };
}

export async function releasePort(port: number): Promise<Finding> {
  const { ok, output } = await systemProgram('netsh.exe', change('delete', port));
  if (ok) return { check, state: 'ok', text: `port ${port} is no longer reserved` };
  const text = `port ${port} is still reserved: ${output.replace(/\s+/g, ' ')}`;
  return { check, state: 'warning', text, remedy: commandText('netsh', change('delete', port)) };
}

/** Whether Windows may give the port to any other program that asks for some port. */
export async function reservation(port: number): Promise<Finding> {
  const [excluded, dynamic] = await Promise.all(
    (['excludedportrange', 'dynamicport'] as const).map((what) => systemProgram('netsh.exe', show(what))),
  );
  return reservationFinding(port, excluded?.output ?? '', dynamic?.output ?? '');
}

/** @param excluded the answer of netsh @param dynamic the same for the range of dynamic ports */
export function reservationFinding(port: number, excluded: string, dynamic: string): Finding {
  const remedy = commandText('netsh', change('add', port));
  if (excludedRanges(excluded).some((range) => includes(range, port)))
    return {
      check,
      state: 'ok',
      text: `port ${port} is reserved: Windows gives it to no program that asks for any port`,
    };
  const range = dynamicRange(dynamic);
  if (range === undefined)
    return { check, state: 'skipped', text: 'netsh does not say which ports are reserved', remedy };
  if (!includes(range, port))
    return { check, state: 'ok', text: `port ${port} is outside the dynamic ports ${range.first}-${range.last}` };
  const text = `port ${port} is one of the dynamic ports ${range.first}-${range.last}: another program may be given it first`;
  return { check, state: 'warning', text, remedy };
}

/** @returns why the list cannot be the remote addresses of a firewall rule */
export function addressesProblem(addresses: readonly string[]): string | undefined {
  const wrong = addresses.find((each) => !isAddresses(each));
  return wrong === undefined
    ? undefined
    : `"${wrong}": expected an IP address, a network like 10.1.0.0/16, a range like 10.1.2.3-10.1.2.9 or LocalSubnet`;
}

function isAddresses(text: string): boolean {
  const [first = '', last, ...more] = text.split('-');
  if (last !== undefined) return more.length === 0 && isRangeOf(first, last);
  const [address = '', length] = text.split('/');
  return (
    text.toLowerCase() === 'localsubnet' || (isAddress(address) && (length === undefined || ipaddr.isValidCIDR(text)))
  );
}

/** Only as netsh takes it: four numbers for IPv4, no zone for IPv6. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes('%'));
}

function isRangeOf(first: string, last: string): boolean {
  if (!isAddress(first) || !isAddress(last)) return false;
  const [from, to] = [bytesOf(first), bytesOf(last)];
  return from.length === to.length && Buffer.compare(from, to) <= 0;
}

const bytesOf = (address: string): Buffer => Buffer.from(ipaddr.parse(address).toByteArray());

const firewall = 'firewall';

type Rule = { readonly ports: readonly number[]; readonly program: string; readonly from: readonly string[] };

/** One rule under our name, in place of what was there. */
export async function openFirewall({ ports, program, from }: Rule): Promise<Finding> {
  await closeFirewall();
  const rule = [
    ...['advfirewall', 'firewall', 'add', 'rule', `name=${serviceName}`, 'dir=in', 'action=allow', 'protocol=TCP'],
    ...[`localport=${ports.join(',')}`, `remoteip=${from.join(',')}`, `program=${program}`],
  ];
  const { output } = await systemProgram('netsh.exe', rule);
  const found = await firewallRule(ports);
  if (found.state === 'ok') return found;
  const why = output === '' ? found.text : output.replace(/\s+/g, ' ');
  return { check: firewall, state: 'warning', text: why, remedy: commandText('netsh', rule) };
}

export async function closeFirewall(): Promise<void> {
  await systemProgram('netsh.exe', ['advfirewall', 'firewall', 'delete', 'rule', `name=${serviceName}`]);
}

/** Whether our rule is there and opens these ports. */
export async function firewallRule(ports: readonly number[]): Promise<Finding> {
  const asked = ['advfirewall', 'firewall', 'show', 'rule', `name=${serviceName}`];
  return firewallFinding(ports, await systemProgram('netsh.exe', asked));
}

/** @param answer of netsh, which ends with 1 when there is no such rule */
export function firewallFinding(
  ports: readonly number[],
  { ok, output }: { readonly ok: boolean; readonly output: string },
): Finding {
  const check = firewall;
  const remedy = 'send-connector-exporter service install --remote-addresses ADDRESS-OF-PROMETHEUS';
  if (!ok) return { check, state: 'skipped', text: `no rule ${serviceName}: other machines may be kept out`, remedy };
  if (output === '')
    return { check, state: 'skipped', text: 'netsh says nothing of the rules of the firewall', remedy };
  const closed = ports.filter((port) => !listedPorts(output).some((range) => includes(range, port)));
  if (closed.length > 0)
    return { check, state: 'warning', text: `the rule ${serviceName} does not open port ${closed.join(', ')}`, remedy };
  return {
    check,
    state: 'ok',
    text: `the rule ${serviceName} lets the chosen addresses reach port ${ports.join(', ')}`,
  };
}
