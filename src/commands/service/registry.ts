/** Values of the registry below HKEY_LOCAL_MACHINE that the service needs. */
import { loadKoffi, wideText, wideTextAt } from '../../runtime/native.js';
import { definition, serviceName } from './definition.js';

/** As in winreg.h: the number -2147483646, widened to a pointer. */
const localMachine = 0xffffffff80000002n;
// Values of winnt.h; a test compares them with the header.
export const registryTypes = { REG_SZ: 1, REG_EXPAND_SZ: 2, REG_DWORD: 4, REG_MULTI_SZ: 7 } as const;

const serviceKey = `SYSTEM\\CurrentControlSet\\Services\\${serviceName}`;
const eventSourceKey = `SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${serviceName}`;

/** Ports that installations have reserved, separated by spaces: a removal releases them, whatever the configuration says then. */
const portsValue = 'ReservedPorts';

/** Read by the MSI before it removes an older version: not every installer says that this is an upgrade. */
const ownKey = `SOFTWARE\\${serviceName}`;

// Of winreg.h: a text is asked for.
export const readNumbers = { RRF_RT_REG_SZ: 2 } as const;

/** @returns the ports that installations have reserved */
export async function reservedPorts(): Promise<readonly number[]> {
  const library = (await loadKoffi()).load('advapi32.dll');
  const get = library.func('int __stdcall RegGetValueW(void *, str16, str16, uint32, void *, void *, void *)');
  const [text, size] = [Buffer.alloc(1024), Uint32Array.of(1024)];
  const code = get(localMachine, ownKey, portsValue, readNumbers.RRF_RT_REG_SZ, null, text, size) as number;
  return code === 0 ? wideTextAt(text, 0).split(' ').filter(Boolean).map(Number) : [];
}

export async function noteReservedPorts(ports: readonly number[]): Promise<void> {
  const library = (await loadKoffi()).load('advapi32.dll');
  const set = library.func('int __stdcall RegSetKeyValueW(void *, str16, str16, uint32, void *, uint32)');
  const text = wideText(ports.join(' '));
  set(localMachine, ownKey, portsValue, registryTypes.REG_SZ, text, text.length);
}

/**
 * The environment of the service, its name as a source of events, and where its configuration is.
 * @returns what Windows did not take
 */
export async function registerService(configuration: string): Promise<readonly string[]> {
  const library = (await loadKoffi()).load('advapi32.dll');
  const set = library.func('int __stdcall RegSetKeyValueW(void *, str16, str16, uint32, void *, uint32)');
  const put = (key: string, name: string, type: number, value: Buffer): readonly string[] => {
    const code = set(localMachine, key, name, type, value, value.length) as number;
    return code === 0 ? [] : [`${key}\\${name}: error ${code}`];
  };
  // The messages of this program of Windows are just "%1", for the numbers 1 to 1000.
  const messages = wideText('%SystemRoot%\\System32\\EventCreate.exe');
  const environment = wideText(`${definition.environment.join('\0')}\0`);
  return [
    ...put(serviceKey, 'Environment', registryTypes.REG_MULTI_SZ, environment),
    ...put(eventSourceKey, 'EventMessageFile', registryTypes.REG_EXPAND_SZ, messages),
    ...put(eventSourceKey, 'TypesSupported', registryTypes.REG_DWORD, Buffer.from(Uint32Array.of(7).buffer)),
    ...put(ownKey, 'ConfigFile', registryTypes.REG_SZ, wideText(configuration)),
  ];
}

/** Takes the source of events and our key away; the key of the service goes with the service. */
export async function unregisterService(): Promise<void> {
  const library = (await loadKoffi()).load('advapi32.dll');
  const remove = library.func('int __stdcall RegDeleteTreeW(void *, str16)');
  for (const key of [eventSourceKey, ownKey]) remove(localMachine, key);
}
