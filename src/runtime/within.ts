/** A wait with an end. */

/** Waits until it is done, and no longer than that. */
export async function within(ms: number, waited: Promise<void> | undefined): Promise<void> {
  if (!waited) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([waited, late]);
  clearTimeout(timer);
}
