/**
 * Checks JSON against the part of JSON Schema (2020-12) that the schemas of `docs/formats` use. A keyword that is not
 * known here throws, so that no schema says more than is checked.
 *
 * @see https://json-schema.org/draft/2020-12/json-schema-validation
 */

type Json = Readonly<Record<string, unknown>>;

const KNOWN = new Set(
  '$schema $defs $ref title type const enum pattern items required properties additionalProperties anyOf'.split(
    ' ',
  ),
);

/** What is wrong, each with its place; empty when the value is as the schema says. */
export function schemaProblems(schema: unknown, value: unknown): string[] {
  return problemsAt(schema as Json, value, schema as Json, '$');
}

function problemsAt(schema: Json, value: unknown, root: Json, place: string): string[] {
  const unknown = Object.keys(schema).filter((keyword) => !KNOWN.has(keyword));
  if (unknown.length > 0) throw new Error(`the schema uses ${unknown.join(', ')}`);
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    return problemsAt(defined(root, reference), value, root, place);
  }
  const { anyOf } = schema as { anyOf?: Json[] };
  if (anyOf !== undefined) {
    const tried = anyOf.map((one) => problemsAt(one, value, root, place));
    return tried.some((problems) => problems.length === 0) ? [] : tried.flat();
  }
  return [
    ...plainProblems(schema, value, place),
    ...(Array.isArray(value) ? itemProblems(schema, value, root, place) : []),
    ...(isObject(value) ? fieldProblems(schema, value, root, place) : []),
  ];
}

function plainProblems(schema: Json, value: unknown, place: string): string[] {
  const { type, pattern } = schema as { type?: string | string[]; pattern?: string };
  const problems: string[] = [];
  if (type !== undefined && ![type].flat().some((one) => isOfType(one, value))) {
    problems.push(`${place} is no ${[type].flat().join(' or ')}`);
  }
  if ('const' in schema && schema['const'] !== value) problems.push(`${place} is another value`);
  if ('enum' in schema && !(schema['enum'] as unknown[]).includes(value)) {
    problems.push(`${place} is none of the values: ${String(value)}`);
  }
  if (pattern !== undefined && typeof value === 'string' && !new RegExp(pattern).test(value)) {
    problems.push(`${place} does not match ${pattern}`);
  }
  return problems;
}

function itemProblems(schema: Json, value: unknown[], root: Json, place: string): string[] {
  const { items } = schema as { items?: Json };
  if (items === undefined) return [];
  return value.flatMap((item, index) => problemsAt(items, item, root, `${place}[${index}]`));
}

function fieldProblems(schema: Json, value: Json, root: Json, place: string): string[] {
  const { required = [], properties = {} } = schema as {
    required?: string[];
    properties?: Record<string, Json>;
  };
  const problems = required
    .filter((name) => !(name in value))
    .map((name) => `${place}.${name} is missing`);
  for (const [name, field] of Object.entries(value)) {
    const known = properties[name];
    if (known !== undefined) problems.push(...problemsAt(known, field, root, `${place}.${name}`));
    else if (schema['additionalProperties'] === false) {
      problems.push(`${place}.${name} is not described`);
    }
  }
  return problems;
}

function defined(root: Json, reference: string): Json {
  const name = reference.replace('#/$defs/', '');
  const found = (root['$defs'] as Record<string, Json> | undefined)?.[name];
  if (found === undefined) throw new Error(`the schema defines no ${name}`);
  return found;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return type === 'object' ? isObject(value) : typeof value === type;
}
