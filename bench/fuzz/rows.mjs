/** Mutates rows of cells: transport logs (commas) and syslog of Snare (tabs). */
import { oddText, pumped, spoilt } from './odd-values.mjs';

/** @param donor another row, of which cells are taken */
export function mutateRow(random, row, donor) {
  const separator = row.includes('\t') ? '\t' : ',';
  let cells = cellsOf(row, separator);
  for (let rounds = random.size(6); rounds > 0 && cells.length > 0; rounds--)
    cells = change(random, cells, donor, separator);
  return cells.join(separator);
}

function cellsOf(row, separator) {
  return separator === '\t' ? row.split('\t') : (row.match(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g) ?? [row]).map(uncut);
}

function uncut(cell) {
  return cell.replace(/,$/, '');
}

function change(random, cells, donor, separator) {
  const at = random.int(cells.length);
  const changes = [
    () => cells.toSpliced(at, 1),
    () => cells.toSpliced(at, 0, ...repeated(cells[at] ?? '', random.size(20_000))),
    () => cells.with(at, random.pick(cellsOf(donor, separator))),
    () => cells.with(at, oddText(random)),
    () => cells.with(at, spoilt(random, cells[at] ?? '')),
    () => cells.with(at, spoilt(random, cells[at] ?? '')),
    () => cells.with(at, `"${cells[at]}`),
    () => cells.with(at, `"${spoilt(random, cells[at] ?? '').replaceAll('"', '""')}"`),
    () => cells.with(at, '"'.repeat(random.size(50_000))),
    () => cells.with(at, pumped(random)),
    () => [...cells].reverse(),
    () => [donor, ...cells],
    () => [headerLike(random)],
  ];
  return random.pick(changes)();
}

/** Longer than any record that is read is long enough. */
function repeated(cell, times) {
  return Array.from({ length: Math.min(times, Math.ceil(3_000_000 / (cell.length + 1))) }, () => cell);
}

/** A line of a header where none should stand, or another than there was. */
function headerLike(random) {
  const fields = ['date-time', 'session', 'session-id', 'source', 'Destination', 'direction', 'description', 'data'];
  const some = Array.from({ length: random.size(5_000) }, () => random.pick(fields)).join(',');
  return random.pick([
    `#Fields: ${some}`,
    `#Fields: ${pumped(random)}`,
    `#Date: ${oddText(random)}`,
    '#Software: Microsoft Exchange Server',
    '#Log-type: Transport Connectivity Log',
    `#${pumped(random)}`,
  ]);
}
