// Writes src/openapi.ts, the types of what the agent answers, from its OpenAPI document:
//   node types.mjs openapi.json|http://127.0.0.1:9990 [out]
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const from = process.argv[2];
if (!from) throw new Error('usage: node types.mjs openapi.json|http://AGENT [out]');
const out = process.argv[3] ?? join(dirname(fileURLToPath(import.meta.url)), 'src', 'openapi.ts');
const text = from.startsWith('http')
  ? await (await fetch(new URL('/api/openapi.json', from))).text()
  : readFileSync(from, 'utf8');
const document = JSON.parse(text);

const quoted = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

function typeOf(schema) {
  if (!schema || schema === true) return 'unknown';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  for (const [key, joint] of [
    ['anyOf', ' | '],
    ['oneOf', ' | '],
    ['allOf', ' & '],
  ]) {
    if (schema[key]) return `(${schema[key].map(typeOf).join(joint)})`;
  }
  const kinds = Array.isArray(schema.type) ? schema.type : [schema.type];
  return kinds.map((kind) => simple(kind, schema)).join(' | ');
}

function simple(kind, schema) {
  if (kind === 'integer' || kind === 'number') return 'number';
  if (kind === 'string' || kind === 'boolean' || kind === 'null') return kind;
  if (kind === 'array') return `Array<${typeOf(schema.items)}>`;
  if (kind !== 'object') return 'unknown';
  if (!schema.properties) {
    const values = schema.additionalProperties;
    return `Record<string, ${values && values !== true ? typeOf(values) : 'unknown'}>`;
  }
  const required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties).map(
    ([name, member]) => `${quoted(name)}${required.has(name) ? '' : '?'}: ${typeOf(member)}`,
  );
  return `{ ${members.join('; ')} }`;
}

const pathType = (path) => '`' + path.replace(/\{[^}]+\}/g, '${string}') + '`';
const lines = ['// Written by types.mjs from the OpenAPI document of the agent; do not edit.', ''];
for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
  lines.push(`export type ${name} = ${typeOf(schema)};`);
}
for (const method of ['get', 'post', 'patch', 'put', 'delete']) {
  const paths = Object.keys(document.paths).filter((path) => document.paths[path][method]);
  const union = paths.map((path) => `  | ${pathType(path)}`).join('\n') || '  never';
  lines.push('', `export type ${method[0].toUpperCase()}${method.slice(1)}Path =\n${union};`);
}
writeFileSync(out, lines.join('\n') + '\n');
