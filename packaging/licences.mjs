/** Under which licences the program and the packages in it may be used: a text that lies beside every copy of the program. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { runtimePackages } from './sbom.mjs';

const root = path.dirname(import.meta.dirname);

/** Native code: koffi is for Windows alone, and a script has none for other processors. */
const isNative = ({ name, os, cpu }) => name === 'koffi' || os !== undefined || cpu !== undefined;

/**
 * Our own licence and those of all packages in the program as it is on Linux.
 * @param apacheText where the text of Apache-2.0 lies, when it is not to be written out
 */
export async function licences(apacheText) {
  const apache =
    apacheText === undefined
      ? await readFile(path.join(root, 'LICENSE'), 'utf8')
      : `The text of the Apache License, Version 2.0, is in ${apacheText}.\n`;
  const parts = [
    `send-connector-exporter\nCopyright: its maintainers\nLicence: Apache-2.0\n\n${apache}`,
    'The program contains the packages below.\n',
  ];
  const packages = (await runtimePackages()).filter((each) => !isNative(each));
  for (const { name, version, license, place } of packages) {
    const text = license === 'Apache-2.0' ? await copyrightLines(place) : await licenceText(place);
    parts.push(`${name} ${version}\nLicence: ${license ?? 'not named'}\n\n${text}`);
  }
  return parts.map((part) => part.replaceAll('\r\n', '\n').trimEnd()).join(`\n\n${'-'.repeat(72)}\n\n`) + '\n';
}

async function licenceText(place) {
  const folder = path.join(root, place);
  const names = (await readdir(folder)).filter((name) => /^(?:licen[cs]e|copying|notice)/i.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  return texts.join('\n');
}

/** Who holds the rights, without the licence itself, whose text stands once. */
async function copyrightLines(place) {
  const text = await licenceText(place);
  return [...new Set(text.match(/^[ \t]*Copyright (?!\[|owner|license|notice).*$/gim) ?? [])]
    .map((line) => `${line.trim()}\n`)
    .join('');
}
