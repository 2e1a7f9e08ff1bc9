/** `npm run bench -- NAME`: runs one benchmark on data that it makes itself, against the built exporter. */
const names = ['formats', 'evtx', 'scrape'];
const [name] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`expected one of ${names.join(', ')}, got ${name ?? 'nothing'}: npm run bench -- formats`);
  process.exit(1);
}
const { run } = await import(`./${name}.mjs`);
await run();
