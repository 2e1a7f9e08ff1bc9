/** Memoizes what is computed from names and addresses, which recur all the time. */

const most = 10_000;
/** Longer texts are no names, and would take much memory. */
const longest = 512;

/** @returns the same function, which works out the value of the latest texts only once; a value must not be undefined */
export function remembering<Value>(read: (text: string) => Value): (text: string) => Value {
  let known = new Map<string, Value>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const value = read(text);
    if (known.size >= most) known = new Map();
    if (text.length <= longest) known.set(text, value);
    return value;
  };
}
