/**
 * Makes sure that no test, and no program that a test starts (`node --import .../loopback-guard.mjs`), sends anything
 * to an address other than loopback. It throws where the attempt is made, and remembers it, so that code which catches
 * every error cannot hide it.
 */
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const key = Symbol.for('send-connector-exporter.loopback-guard');

/** Attempts so far, one sentence each. One list for the whole process, however often this file is loaded. */
export const attempts = (globalThis[key] ??= { list: [], installed: false }).list;

/** @param {string} host */
export function isLoopback(host) {
  const bare = host
    .replace(/^\[|\]$/g, '')
    .replace(/%.*$/, '')
    .toLowerCase();
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true;
  const mapped = bare.startsWith('::ffff:') ? bare.slice(7) : bare;
  return net.isIPv4(mapped) ? mapped.startsWith('127.') : bare === '::1';
}

/**
 * @param {string} what
 * @param {string} host
 */
function refuse(what, host) {
  const sentence = `loopback guard: ${what} ${host} refused: only loopback may be reached from a test`;
  attempts.push(sentence);
  process.stderr.write(`${sentence}\n`);
  throw new Error(sentence);
}

/** Replaces a method by one that looks at its arguments first. */
function watch(owner, name, look) {
  const original = owner[name];
  if (typeof original !== 'function') return;
  owner[name] = function (...given) {
    look.call(this, given);
    return original.apply(this, given);
  };
}

function lookAtConnect(given) {
  // net.connect hands over its already normalised arguments as an array.
  const [first, second] = Array.isArray(given[0]) ? given[0] : given;
  if (typeof first === 'object' && first !== null) {
    if (first.path === undefined || first.path === null) lookAtHost('connection to', first.host ?? 'localhost');
  } else if (typeof first === 'number' || /^\d+$/.test(String(first))) {
    lookAtHost('connection to', typeof second === 'string' ? second : 'localhost');
  }
}

function lookAtHost(what, host) {
  if (!isLoopback(String(host))) refuse(what, String(host));
}

function lookAtDatagram(given) {
  const address = given.slice(1).find((each) => typeof each === 'string');
  if (address !== undefined) lookAtHost('datagram to', address);
}

/** A lookup of an address asks nobody; of any other name it asks a DNS server of the system. */
function lookAtLookup([name]) {
  if (typeof name === 'string' && name !== '' && net.isIP(name) === 0) lookAtHost('lookup of', name);
}

function lookAtServers(servers) {
  for (const server of servers) lookAtHost('query of the DNS server', hostOf(String(server)));
}

/** `127.0.0.1:53`, `[::1]:53` or either without a port. */
function hostOf(server) {
  return /^\[([^\]]+)\]/.exec(server)?.[1] ?? (net.isIP(server) ? server : server.replace(/:\d+$/, ''));
}

function install() {
  watch(net.Socket.prototype, 'connect', lookAtConnect);
  watch(dgram.Socket.prototype, 'send', lookAtDatagram);
  watch(dgram.Socket.prototype, 'connect', lookAtDatagram);
  for (const owner of [dns, dns.promises]) {
    watch(owner, 'lookup', lookAtLookup);
    watch(owner, 'lookupService', ([address]) => lookAtHost('reverse lookup of', address));
    for (const name of Object.keys(owner).filter((each) => /^(resolve|reverse)/.test(each))) {
      watch(owner, name, () => lookAtServers(owner.getServers()));
    }
    const resolver = owner.Resolver.prototype;
    for (let level = resolver; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
      for (const name of Object.getOwnPropertyNames(level).filter((each) => /^(resolve|reverse)/.test(each))) {
        watch(level, name, function () {
          lookAtServers(this.getServers());
        });
      }
    }
  }
  syncBuiltinESMExports();
}

if (!globalThis[key].installed) {
  globalThis[key].installed = true;
  install();
}
