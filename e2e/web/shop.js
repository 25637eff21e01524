// Starts `mainstay dev` on a copy of the example, on a free port, and reads its keys.

import { spawn } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';

export const program = need('MAINSTAY_BIN');
export const example = need('MAINSTAY_EXAMPLE');

export function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run these tests with \`cargo xtask test\``);
  return value;
}

/**
 * A shop being developed; `schema` is put behind its own, and `queries` beside its own by their names. It is stopped and
 * removed when the file's tests are over.
 */
export async function shop(schema = '', queries = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mainstay-web-'));
  const project = join(folder, 'shop');
  cpSync(example, project, { recursive: true, filter: (path) => !path.includes('.mainstay') });
  appendFileSync(join(project, 'schema/sales.toml'), schema);
  for (const [name, text] of Object.entries(queries)) writeFileSync(join(project, 'queries', `${name}.sql`), text);
  const server = spawn(program, ['dev', '--set', 'server.port=0', '--set', 'log.level=warn', project], { stdio: ['pipe', 'pipe', 'pipe'] });
  after(async () => {
    server.kill('SIGTERM');
    await new Promise((resolve) => (server.exitCode === null ? server.once('exit', resolve) : resolve()));
    rmSync(folder, { recursive: true, force: true });
  });
  let said = '';
  server.stderr.on('data', (part) => (said = (said + part).slice(-4000)));
  const ended = new Promise((_, reject) => server.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said}`))));
  const told = new Promise((resolve) => {
    const found = {};
    createInterface({ input: server.stdout }).on('line', (line) => {
      found.reference ??= line.match(/Reference\s+(http:\/\/\S+)/)?.[1];
      found.publishable ??= line.match(/publishable (ms_publishable_\S+)/)?.[1];
      found.secret ??= line.match(/secret (ms_secret_\S+)/)?.[1];
      if (found.secret) resolve({ ...found, url: new URL(found.reference).origin });
    });
  });
  return Promise.race([told, ended]);
}
