/** What any exporter of this make loads at least: Express, prom-client and chokidar, an empty page, a watched file. `node bare.mjs FILE` */
import express from 'express';
import { watch } from 'chokidar';
import client from 'prom-client';

client.collectDefaultMetrics();
watch(process.argv[2]);
const app = express();
app.get('/metrics', async (_, response) => {
  response.type(client.register.contentType).send(await client.register.metrics());
});
const server = app.listen(0, '127.0.0.1', () => {
  console.error(`msg=listening url=http://127.0.0.1:${server.address().port}`);
});
