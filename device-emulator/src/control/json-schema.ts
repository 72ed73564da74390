import { z } from 'zod';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A schema as documents have it. @param io as the caller writes it, or as it is answered */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    // What arrives as text and is made a number is described as the number.
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: made }) => {
      // Of what is read from text, too, callers are told what it is when they leave it out.
      const { def } = zodSchema._zod;
      if (def.type === 'default') made.default = z.json().parse(def.defaultValue);
      // Says that the program does not change it, which is nothing to callers.
      delete made.readOnly;
    },
  });
  return rest;
}
