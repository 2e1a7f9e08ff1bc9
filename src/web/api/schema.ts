/** The published JSON Schema of `/api/v1`, one definition for each answer. */
import * as z from 'zod';
import { recordOutcomes } from '../../model/records.js';
import { answers } from './answers.js';

export const apiSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'send-connector-exporter API, version 1',
  description: `Times are ISO 8601 in UTC. Records end as one of: ${recordOutcomes.join(', ')}.`,
  $defs: Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, definitionOf(answer)])),
};

function definitionOf(answer: z.ZodType): object {
  const definition = z.toJSONSchema(answer, {
    override: ({ jsonSchema }) => {
      // The format says it, and no integer of JavaScript is larger.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  delete definition.$schema;
  return definition;
}
