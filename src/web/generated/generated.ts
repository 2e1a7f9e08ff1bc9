/** `/generated/...`: rules, dashboards and the Alertmanager example with this exporter's own address in their links. */
import type { Router } from 'express';
import { monitoringFile, monitoringFileNames } from './monitoring-files.js';

export const generatedPath = '/generated';

/** @param exporterUrl as people reach the exporter; undefined leaves that of the bundled files */
export function generatedOn(router: Router, exporterUrl: string | undefined): void {
  router.get(generatedPath, (request, response, next) => {
    // A browser gets the page with links, a program the bare list.
    if (request.accepts(['text', 'html']) === 'html') {
      next();
      return;
    }
    response.type('text').send(`${monitoringFileNames.map((name) => `${generatedPath}/${name}`).join('\n')}\n`);
  });
  for (const name of monitoringFileNames) {
    router.get(`${generatedPath}/${name}`, async (_request, response) => {
      const text = await monitoringFile(name, { exporterUrl });
      response.type(name.endsWith('.json') ? 'json' : 'text').send(text);
    });
  }
}
