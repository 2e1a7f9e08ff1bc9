/** The flags of an installation, from a person or an installer, validated before anything is changed. */
import path from 'node:path';
import { addressesProblem } from './network.js';

/** As typed. An installer has no way to leave one out: an empty text is none. */
export type InstallFlags = {
  readonly 'config.file'?: string;
  /** Of the MSI: where the configuration of the version before is. */
  readonly earlierConfig?: string;
  readonly listenPort: string;
  readonly 'state.directory'?: string;
  readonly remoteAddresses?: string;
  readonly firewall: string;
  readonly start: boolean;
};

export type Asked = {
  readonly configuration: string | undefined;
  readonly earlierConfiguration: string | undefined;
  /** Port and state folder that a first configuration names. */
  readonly first: { readonly port: number; readonly state: string | undefined };
  readonly remoteAddresses: readonly string[];
};

/** @returns what is asked for, or why it cannot be, a sentence for each flag that is wrong */
export function askedOf(flags: InstallFlags): Asked | { readonly problems: readonly string[] } {
  const [configuration, state] = [given(flags['config.file']), given(flags['state.directory'])];
  const port = flags.listenPort.trim();
  const listed = (given(flags.remoteAddresses) ?? '').split(/[,;\s]+/).filter(Boolean);
  const addresses = addressesProblem(listed);
  const problems = [
    ...placeProblems('--config.file (CONFIG_FILE of the MSI)', configuration),
    ...placeProblems('--state.directory (STATE_DIR of the MSI)', state),
    ...(isPort(port) ? [] : [`--listen-port (LISTEN_PORT of the MSI) is "${port}": expected a port from 1 to 65535`]),
    ...(['0', '1'].includes(flags.firewall.trim())
      ? []
      : [`--firewall (ADD_FIREWALL_RULE of the MSI) is "${flags.firewall}": expected 0 or 1`]),
    ...(addresses === undefined ? [] : [`--remote-addresses (REMOTE_ADDRESSES of the MSI): ${addresses}`]),
  ];
  if (problems.length > 0) return { problems };
  const remoteAddresses = flags.firewall.trim() === '0' ? [] : listed;
  const earlierConfiguration = given(flags.earlierConfig);
  return { configuration, earlierConfiguration, first: { port: Number(port), state }, remoteAddresses };
}

/** Without the backslash at the end of a folder, and without the quotation mark that such a backslash escaped. */
function given(text: string | undefined): string | undefined {
  const bare = withoutEnd((text ?? '').trim(), '" ');
  const short = withoutEnd(bare, '\\');
  if (short === '') return bare === '' ? undefined : bare;
  return /^[a-z]:$/i.test(short) ? `${short}\\` : short;
}

function withoutEnd(text: string, marks: string): string {
  let end = text.length;
  while (end > 0 && marks.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;

/** The service has another current folder than whoever installs it: only a full path means the same to both. */
function placeProblems(flag: string, place: string | undefined): readonly string[] {
  if (place === undefined) return [];
  const { root } = path.win32.parse(place);
  const isFull = root.length > 1 && root.endsWith('\\');
  if (!isFull) return [`${flag} is "${place}": expected a full path like D:\\exporter`];
  // Neither PowerShell nor an installer puts its value in, but Windows does in the command line of a service.
  const variable = /%[^%\\]+%/.exec(place)?.[0];
  if (variable !== undefined) return [`${flag} is "${place}": expected the value of ${variable} in its place`];
  const wrong = (/["<>|?*]/.exec(place) ?? /:/.exec(place.slice(root.length)))?.[0];
  return wrong === undefined ? [] : [`${flag} is "${place}": no path of Windows has ${wrong} in it`];
}
