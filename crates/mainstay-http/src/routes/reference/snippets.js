// A request as text to take elsewhere: its URL, curl, supabase-js.

/** What a request is made of → method, URL, headers, body. */
export function build(form) {
  const query = parameters(form).map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  const headers = {};
  if (form.prefer.length) headers.Prefer = form.prefer.join(', ');
  if (form.single) headers.Accept = 'application/vnd.pgrst.object+json';
  const hasBody = form.method !== 'GET' && form.method !== 'DELETE';
  if (hasBody) headers['Content-Type'] = form.media;
  return {
    method: form.method,
    url: `/rest/v1${form.path}${query ? `?${query}` : ''}`,
    headers,
    body: hasBody ? form.body : undefined,
  };
}

function parameters(form) {
  const pairs = [];
  if (form.select) pairs.push(['select', form.select]);
  for (const { column, operator, value } of form.filters) pairs.push([column, `${operator}.${operand(operator, value)}`]);
  if (form.order) pairs.push(['order', form.order]);
  if (form.limit) pairs.push(['limit', form.limit]);
  if (form.offset) pairs.push(['offset', form.offset]);
  return pairs.concat(form.arguments ?? []);
}

function operand(operator, value) {
  return operator.endsWith('in') && !/^\(.*\)$/.test(value) ? `(${value})` : value;
}

/** As a query may hold it; what reads well and means nothing else stays. */
function encode(text) {
  return encodeURIComponent(text).replace(/%2C/g, ',').replace(/%3A/g, ':').replace(/%3E/gi, '%3E');
}

/** The request for a shell. The key stays out of it. */
export function curl(request, origin) {
  const lines = [`curl ${request.method === 'GET' ? '' : `-X ${request.method} `}${quoted(origin + request.url)}`, '-H "apikey: $MAINSTAY_KEY"'];
  for (const [name, value] of Object.entries(request.headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (request.body !== undefined) lines.push(`--data-raw ${quoted(request.body)}`);
  return lines.join(' \\\n  ');
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const METHODS = { eq: 'eq', neq: 'neq', gt: 'gt', gte: 'gte', lt: 'lt', lte: 'lte', like: 'like', ilike: 'ilike', is: 'is' };

/** The request for supabase-js. */
export function supabase(form, origin) {
  const lines = ["import { createClient } from '@supabase/supabase-js'", '', `const supabase = createClient(${text(origin)}, process.env.MAINSTAY_KEY)`, ''];
  const calls = form.isFunction ? callOf(form) : callsOf(form);
  lines.push('const { data, error } = await supabase', ...calls.map((call) => `  ${call}`));
  return lines.join('\n');
}

function callOf(form) {
  return [`.rpc(${text(form.name)}, ${indented(form.body || '{}')})`];
}

function callsOf(form) {
  const calls = [`.from(${text(form.name)})`];
  const select = form.select && form.select !== '*' ? `.select(${text(form.select)}${form.method === 'GET' && form.counts ? ", { count: 'exact' }" : ''})` : `.select(${form.method === 'GET' && form.counts ? "'*', { count: 'exact' }" : ''})`;
  if (form.method === 'GET') calls.push(select);
  if (form.method === 'POST') calls.push(`.insert(${indented(form.body)})`);
  if (form.method === 'PATCH') calls.push(`.update(${indented(form.body)})`);
  if (form.method === 'DELETE') calls.push('.delete()');
  for (const filter of form.filters) calls.push(filterCall(filter));
  if (form.method !== 'GET' && form.prefer.includes('return=representation')) calls.push(select);
  if (form.order) calls.push(...form.order.split(',').map(orderCall));
  if (form.limit && form.offset) calls.push(`.range(${form.offset}, ${Number(form.offset) + Number(form.limit) - 1})`);
  else if (form.limit) calls.push(`.limit(${form.limit})`);
  if (form.single) calls.push('.single()');
  return calls;
}

function filterCall({ column, operator, value, isNumber }) {
  if (operator === 'is') return `.is(${text(column)}, ${value})`;
  if (operator === 'in') return `.in(${text(column)}, [${value.split(',').map((item) => (isNumber ? item : text(item))).join(', ')}])`;
  const method = METHODS[operator];
  if (!method) return `.filter(${text(column)}, ${text(operator)}, ${text(operand(operator, value))})`;
  return `.${method}(${text(column)}, ${isNumber && value !== '' && !Number.isNaN(Number(value)) ? value : text(value)})`;
}

function orderCall(term) {
  const [column, direction] = term.split('.');
  return `.order(${text(column)}${direction === 'desc' ? ', { ascending: false }' : ''})`;
}

function indented(body) {
  return body.trim().replaceAll('\n', '\n  ');
}

function text(value) {
  return `'${JSON.stringify(String(value)).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
