// What the page asks of the server. The key is kept for as long as the tab is open, and nowhere else.

const KEPT = 'mainstay.key';

/** What the server says of itself before any key is shown. */
export async function settings() {
  return (await fetch('/_/api/settings.json', { credentials: 'same-origin' })).json();
}

/** The description of everything, or of what the key opens where no more is told; `null` without one that is good. */
export async function description(key) {
  return taken(await fetch('/_/api/openapi.json', { headers: headers(key), credentials: 'same-origin' }));
}

/** The description of what the key opens. */
export async function allowed(key) {
  return key ? taken(await fetch('/rest/v1/', { headers: headers(key), credentials: 'omit' })) : null;
}

async function taken(response) {
  return response.ok ? response.json() : null;
}

function headers(key) {
  return key ? { apikey: key } : {};
}

export const key = {
  get: () => sessionStorage.getItem(KEPT) ?? '',
  set: (value) => (value ? sessionStorage.setItem(KEPT, value) : sessionStorage.removeItem(KEPT)),
};

/** Which key a text looks like. */
export function keyKind(text) {
  if (!text) return 'none';
  if (text.startsWith('ms_secret_')) return 'secret';
  if (text.startsWith('ms_publishable_')) return 'publishable';
  return text.split('.').length === 3 ? 'token' : 'unknown';
}

/** Sends a request; gives status, headers, body and the time that it took. */
export async function send(request, key) {
  const began = performance.now();
  const response = await fetch(request.url, {
    method: request.method,
    headers: { ...headers(key), ...request.headers },
    body: request.body,
    credentials: 'omit',
    cache: 'no-store',
  });
  const text = await response.text();
  return {
    status: response.status,
    reason: response.statusText,
    headers: [...response.headers].filter(([name]) => !['content-security-policy', 'x-content-type-options', 'referrer-policy'].includes(name)),
    text,
    milliseconds: performance.now() - began,
  };
}
