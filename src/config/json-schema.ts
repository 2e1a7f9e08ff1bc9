/** The configuration file's schema as JSON Schema, for completion and checks in editors. */
import * as z from 'zod';
import { configSchema } from './schema.js';

/** What `examples/config.schema.json` holds. */
export function configJsonSchema(): object {
  // Of the two sides of a setting, what a person writes is of use here, not what we turn it into.
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' });
}
