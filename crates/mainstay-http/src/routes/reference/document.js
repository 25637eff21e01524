// The description of the API → what the page shows of it. Knows no page and no network.

const METHODS = ['get', 'post', 'patch', 'put', 'delete'];

/** Bodies that are one value as it is, and hold no members. */
const WHOLE = ['text/plain', 'application/octet-stream'];

/** Tables, views and functions of a description, and what each code of an error means. */
export function read(description) {
  const components = description.components;
  const tables = [];
  const functions = [];
  for (const [path, item] of Object.entries(description.paths)) {
    if (path === '/' || path === '/batch') continue;
    if (path.endsWith('/query') && path !== '/query' && path !== '/rpc/query') continue; // A `get`, said in another way.
    if (path.startsWith('/rpc/')) functions.push(readFunction(path, item, components));
    else if (item.get || item.post) tables.push(readTable(path, item, description));
  }
  const codes = new Map();
  for (const response of Object.values(components.responses)) {
    for (const [code, when] of Object.entries(response['x-codes'] ?? {})) codes.set(code, when);
  }
  return { title: description.info.title, tables, functions, codes };
}

function readTable(path, item, { components, tags }) {
  const operation = item.get ?? item.post;
  const name = operation.tags[0];
  const id = operation.operationId.replace(/^[a-z]+_/, '');
  const row = components.schemas[id];
  const insert = components.schemas[`${id}_insert`];
  const update = components.schemas[`${id}_update`];
  const shown = row ?? insert;
  const key = row?.['x-primary-key'] ?? [];
  const relations = row?.['x-relations'] ?? [];
  const unique = new Set((row?.['x-unique'] ?? []).filter((columns) => columns.length === 1).map(([column]) => column));
  const filters = filterNames(item.get, components);
  const columns = Object.entries(shown.properties).map(([column, schema]) => ({
    name: column,
    type: schema['x-type'] ?? schema.type ?? 'json',
    schema,
    insert: insert?.properties[column],
    isOptional: isOptional(schema),
    isRequired: Boolean(insert?.required?.includes(column)),
    isKey: key.includes(column),
    isUnique: unique.has(column) || (key.length === 1 && key[0] === column),
    filter: filters.get(column),
    references: relations.filter((relation) => relation.reference && relation.columns.length === 1 && relation.columns[0][0] === column),
    description: schema.description,
  }));
  return {
    name,
    path,
    description: tags.find((tag) => tag.name === name)?.description,
    isView: Boolean(item.get) && columns.every((column) => column.schema.readOnly),
    columns,
    key,
    relations,
    methods: METHODS.filter((method) => item[method]).map((method) => method.toUpperCase()),
    insertColumns: insert ? Object.keys(insert.properties) : [],
    updateColumns: update ? Object.keys(update.properties) : [],
  };
}

function isOptional(schema) {
  return Array.isArray(schema.type) && schema.type.includes('null');
}

/** Which parameter filters by which column. */
function filterNames(operation, components) {
  const names = new Map();
  for (const parameter of operation?.parameters ?? []) {
    const key = parameter.$ref?.replace('#/components/parameters/', '');
    if (!key?.startsWith('filter.')) continue;
    const { name } = components.parameters[key];
    names.set(name.startsWith('"') ? name.slice(1, -1).replace(/\\(.)/g, '$1') : name, name);
  }
  return names;
}

function readFunction(path, item, components) {
  const operation = item.post ?? item.get;
  const content = operation.requestBody?.content ?? {};
  const whole = content['application/json'] ? undefined : WHOLE.find((media) => content[media]);
  let body = content['application/json']?.schema;
  if (body?.$ref) body = components.schemas[body.$ref.split('/').pop()];
  const required = new Set(body?.required ?? []);
  return {
    name: decodeURIComponent(path.slice('/rpc/'.length)),
    path,
    description: operation.description ?? operation.summary,
    methods: METHODS.filter((method) => item[method]).map((method) => method.toUpperCase()),
    parameters: Object.entries(body?.properties ?? {}).map(([name, schema]) => ({
      name,
      type: schema['x-type'] ?? schema.type ?? 'json',
      schema,
      isRequired: required.has(name),
      description: schema.description,
    })),
    whole: whole && { media: whole, schema: content[whole].schema },
  };
}

/** Words for what a column accepts beyond its type. */
export function checks(schema) {
  const words = [];
  if (schema.enum) words.push(`one of ${schema.enum.filter((value) => value !== null).join(', ')}`);
  if (schema.minLength !== undefined && schema.maxLength !== undefined) words.push(`${schema.minLength}–${schema.maxLength} characters`);
  else if (schema.minLength !== undefined) words.push(`at least ${schema.minLength} characters`);
  else if (schema.maxLength !== undefined) words.push(`at most ${schema.maxLength} characters`);
  const isWholeRange = schema.format === 'int32';
  if (schema.minimum !== undefined && !(isWholeRange && schema.minimum === -2147483648)) words.push(`from ${schema.minimum}`);
  if (schema.maximum !== undefined && !(isWholeRange && schema.maximum === 2147483647)) words.push(`to ${schema.maximum}`);
  if (schema.minItems !== undefined) words.push(`at least ${schema.minItems} items`);
  if (schema.maxItems !== undefined) words.push(`at most ${schema.maxItems} items`);
  const format = { email: 'e-mail address', uri: 'URL', hostname: 'host name', ip: 'IP address', html: 'rich text' }[schema.format ?? schema['x-format']];
  if (format) words.push(format);
  const pattern = schema.pattern ?? schema['x-pattern'];
  if (pattern && !['bytes', 'time'].includes(schema['x-type'])) words.push(`matches ${pattern}`);
  return words;
}

/** A value that a column would take, for bodies to begin with. */
export function example(schema) {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const type = [schema.type].flat().find((name) => name !== 'null');
  if (type === 'boolean') return true;
  if (type === 'integer' || type === 'number') return Math.max(schema.minimum ?? 1, Math.min(1, schema.maximum ?? 1));
  if (type === 'array') return [];
  if (type !== 'string') return {};
  return exampleText(schema);
}

function exampleText(schema) {
  const now = new Date().toISOString();
  const named = { date: now.slice(0, 10), 'date-time': now, uuid: '01890a5d-ac96-774b-bcce-b302099a8057', email: 'ada@example.org', uri: 'https://example.org', hostname: 'example.org' }[schema.format];
  if (named) return named;
  if (schema['x-type'] === 'time') return '12:00:00';
  if (schema['x-type'] === 'bytes') return '\\x00ff';
  if (schema['x-format'] === 'ip') return '192.0.2.1';
  if (schema.pattern?.startsWith('^\\+')) return '+4930123456';
  if (schema.pattern?.startsWith('^[a-z0-9]')) return 'an-example';
  return 'Example'.padEnd(schema.minLength ?? 0, '.').slice(0, schema.maxLength ?? undefined);
}
