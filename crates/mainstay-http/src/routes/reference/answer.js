// An answer of the server, and what an error means.

import { keyKind } from '/_/api/api.js';
import { copyButton, element, pretty } from '/_/api/element.js';

/** Status, headers and body; an error comes with an explanation. */
export function answer(reply, context, request) {
  const isGood = reply.status < 400 && reply.status !== 300;
  const body = parsed(reply);
  return [
    element(
      'p',
      { class: `status ${isGood ? 'good' : 'bad'}` },
      element('strong', {}, String(reply.status)),
      ` ${reply.reason}`,
      element('span', { class: 'quiet' }, ` in ${reply.milliseconds.toFixed(0)} ms${Array.isArray(body) && isGood ? `, ${body.length} ${body.length === 1 ? 'row' : 'rows'}` : ''}`),
    ),
    isGood ? null : explanation(body, reply, context, request),
    element('details', { class: 'headers' }, element('summary', {}, 'Headers'), element('dl', {}, reply.headers.map(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]))),
    reply.text ? element('div', { class: 'snippet' }, element('pre', { class: 'body', tabindex: '0', 'aria-label': 'Body of the answer' }, body === undefined ? element('code', {}, reply.text) : pretty(reply.text)), copyButton(() => reply.text, 'the body')) : element('p', { class: 'quiet' }, 'The answer has no body.'),
  ].filter(Boolean);
}

/** The server was not reached. */
export function failure(error) {
  return [element('div', { class: 'explained', role: 'alert' }, element('h3', {}, 'No answer came'), element('p', {}, 'Is the server still running? '), element('p', { class: 'quiet' }, String(error.message ?? error)))];
}

function parsed(reply) {
  try {
    return reply.text ? JSON.parse(reply.text) : undefined;
  } catch {
    return undefined;
  }
}

function explanation(body, reply, context, request) {
  if (!body || typeof body.code !== 'string') return null;
  const meaning = context.codes.get(body.code);
  return element(
    'div',
    { class: 'explained', role: 'alert' },
    element('h3', {}, body.message),
    typeof body.details === 'string' ? element('p', {}, body.details) : null,
    body.hint ? element('p', {}, element('strong', {}, 'Hint: '), body.hint) : null,
    advice(body, reply, context, request),
    element('p', { class: 'quiet' }, element('code', {}, body.code), meaning ? ` — ${meaning}` : ''),
  );
}

/** What the reader of this page can do about it. */
function advice(body, reply, context, request) {
  const kind = keyKind(context.key());
  const isRefused = reply.status === 401 || reply.status === 403;
  if (isRefused && kind === 'none') return tip('Put a key into the field at the top. ', 'mainstay keys', ' prints the keys of a project.');
  if (body.code === '42501' && kind !== 'secret') return tip('The access rules do not open this to your key. The secret key passes every rule: put it into the field at the top. ', 'mainstay keys', ' prints it, and so did the start of the server.');
  if (isRefused) return tip('The key at the top is not one of this project. ', 'mainstay keys', ' prints them.');
  if (body.code === '21000' && ['PATCH', 'DELETE'].includes(request.method)) return tip('Add a filter that picks the rows.');
  if (body.code === 'PGRST102') return tip('The body is not JSON as it stands. Names and texts need double quotes, and no comma may stand before a closing bracket.');
  if (body.code === '23503') return tip('A column of this row refers to a row of another table, and there is none with that value. The notes beside the columns say which table.');
  if (body.code === '23505') return tip('There is a row with this key already. Change the value, or change that row with PATCH.');
  return null;
}

function tip(before, command, after) {
  return element('p', { class: 'tip' }, before, command ? element('code', {}, command) : null, after);
}
