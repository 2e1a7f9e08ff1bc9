/** What reads and probes: opened, changed over to another configuration, and closed. */
import { dirname } from 'node:path';
import type { Config } from '../config/config.js';
import { drillFile, drillSource } from '../events/sources/drills.js';
import { followSources } from '../events/sources/sources.js';
import { ownFullName } from '../health/windows-domain.js';
import { type Inventory, openInventory } from '../inventory/inventory.js';
import type { Ledger } from '../ledger/ledger.js';
import { implicitNames } from '../model/implicit-connectors.js';
import type { ProbeResult } from '../model/probes.js';
import { createPolicy } from '../probes/policy.js';
import { notBegun, openProber, startProbing } from '../probes/probing.js';
import type { Targets } from '../probes/targets.js';
import type { Log } from '../runtime/log.js';
import { makeFolder } from '../runtime/make-folder.js';
import { within } from '../runtime/within.js';
import { readHere } from './configured-sources.js';
import { keepExpecting, knowServers } from './expectation.js';
import { clocks, type Inlets, type Parts } from './parts.js';
import { listenForRecords } from './push-listener.js';

/**
 * What is known of a destination by then. While the exporter starts, which may take as long as its inventory, its sources
 * or its resolver do, a known one is not unknown: it is one that nobody has visited yet.
 * @returns undefined for a destination that nobody has named, and where probing is off
 */
export async function ask(
  inlets: Inlets,
  targets: Targets,
  destination: string,
  waitMs: number,
): Promise<ProbeResult | undefined> {
  const began = performance.now();
  if (!inlets.probing) await within(waitMs, inlets.opening);
  if (inlets.probing) return inlets.probing.ask(destination, Math.max(0, waitMs - (performance.now() - began)));
  const target = targets.list().find((each) => each.destination === destination);
  const isWanted = inlets.opening !== undefined && inlets.config?.probe.enabled === true;
  return isWanted && target ? notBegun(target, 'the exporter is starting') : undefined;
}

export async function closeInlets({ inventory, followed, probing }: Inlets): Promise<void> {
  inventory?.close();
  await Promise.all([followed?.stop(), probing?.stop()]);
}

/** Reads and probes as the configuration says from now on. @throws when it cannot; then all is as before */
export async function changeOver(inlets: Inlets, config: Config, parts: Parts): Promise<void> {
  const opened = openAll(inlets, config, parts);
  inlets.opening = opened.catch(() => undefined);
  try {
    await opened;
  } finally {
    inlets.opening = undefined;
  }
}

async function openAll(inlets: Inlets, config: Config, parts: Parts): Promise<void> {
  const { ledger, targets, board, log } = parts;
  const looked = readHere(config);
  const policy = createPolicy(config.probe);
  // Opened first, because it may fail: nothing is probed twice, for it begins when the one before has ended.
  const prober = config.probe.enabled ? await openProber(config.probe, policy) : undefined;
  await closeInlets(inlets);
  Object.assign(inlets, { policy, config });
  targets.setConfigured(config.destinations.static);
  const expectation = keepExpecting(config, inlets, parts);
  inlets.metServer = expectation.renewSoon;
  const host = await ownFullName();
  inlets.inventory = await openInventory(config.inventory.file, log, (connectors, servers) => {
    knowServers(ledger, config, { connectors, servers, host });
    targets.setInventory(connectors);
    expectation.renew(connectors, servers);
  });
  // Watched from the start; without it drills do not come in, and nothing else is lost.
  await makeFolder(dirname(drillFile(config.state.directory))).catch(() => undefined);
  inlets.followed = await followSources(looked, {
    checkpoints: ledger.checkpoints,
    forget: ledger.forget,
    post: ledger.post,
    saved: ledger.saved,
    listen: listenForRecords,
    knownConnectors: () => knownConnectors(ledger, inlets.inventory),
    sessions: ledger.sessions,
    connectorOfGuid: (guid) => inlets.inventory?.nameOf(guid),
    portOfGuid: (guid) => inlets.inventory?.connectors().find((each) => each.guid === guid)?.port,
    nameOfServer: ledger.nameOfServer,
    isListed: (name) => inlets.inventory?.connectors().some((each) => each.name === name) ?? false,
    log: withoutDrills(log),
    now: clocks.now,
    steady: clocks.steady,
  });
  inlets.probing =
    prober &&
    startProbing({
      config: config.probe,
      prober,
      targets,
      log,
      latest: board.latest,
      postPing: board.postPing,
      postPath: board.postPath,
      post: (result) => {
        board.post(result);
        ledger.visited(result);
        if (result.origin === 'inventory') expectation.renew();
      },
    });
}

/** That no drill was written yet is nothing to warn of. */
function withoutDrills(log: Log): Log {
  return {
    ...log,
    warn: (message, fields) => {
      if (fields?.source !== drillSource) log.warn(message, fields);
    },
  };
}

/** Names that a message in any language may hold: those seen, those of the inventory, those that Exchange makes itself. */
function knownConnectors(ledger: Ledger, inventory: Inventory | undefined): string[] {
  const seen = ledger.rows().map(({ connector }) => connector);
  const named = inventory?.connectors().map(({ name }) => name) ?? [];
  return [...new Set([...seen, ...named, ...implicitNames])];
}
