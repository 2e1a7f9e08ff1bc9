/** Of the records of a log that are no longer known one by one, the newest ID and second: what is older was delivered before. */
import { isCredibleSecond, isLater } from './record-seconds.js';

export type Floor = readonly [id: number, second: number];

/** `held`: what the floor becomes when nothing lags any more. */
export type Floors = { floor: Floor | undefined; held: Floor | undefined };

/** Older by number and by time than all that is known one by one. */
export function isBelow({ floor }: Floors, id: number, second: number, now: number): boolean {
  return floor !== undefined && isFloor(floor, now) && id <= floor[0] && !isLater(second, floor[1]);
}

/** A floor from the future, which a record dated wrongly has left, would make duplicates of all true ones. */
function isFloor(floor: Floor, now: number): boolean {
  return isCredibleSecond(floor[1], now);
}

/** @param isHeld while something lags, whose records are new though they are older */
export function liftFloor(floors: Floors, [id, second]: Floor, now: number, isHeld: boolean): void {
  if (isHeld) floors.held = lifted(floors.held ?? floors.floor, id, second, now);
  else floors.floor = lifted(floors.floor, id, second, now);
}

function lifted(floor: Floor | undefined, id: number, second: number, now: number): Floor | undefined {
  const isTimed = !Number.isNaN(second);
  if (isTimed && !isCredibleSecond(second, now)) return floor;
  // A cleared log restarts its numbering at 1: its later records lift the floor in time and reset it in number.
  if (!floor || !isFloor(floor, now)) return isTimed || !floor ? [id, isTimed ? second : 0] : floor;
  if (isTimed && (second > floor[1] || (second === floor[1] && id > floor[0]))) return [id, second];
  return id > floor[0] ? [id, floor[1]] : floor;
}
