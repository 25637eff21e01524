// Starts the real program on a copy of the example, on a free port, and reads its keys.

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { PostgrestClient } from '@supabase/postgrest-js';

const program = need('MAINSTAY_BIN');
const example = need('MAINSTAY_EXAMPLE');

function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run these tests with \`cargo xtask test\``);
  return value;
}

/** A running shop with its seed; it is stopped and removed when the file's tests are over. */
export async function shop() {
  return running((project, run) => {
    cpSync(example, project, { recursive: true, filter: (path) => !path.includes('.mainstay') });
    run('migrate', 'apply');
    run('seed');
  });
}

/** A running server over the database that `make` writes into a file of this name, served as it is. */
export async function found(name, make) {
  return running((project) => {
    mkdirSync(project);
    make(join(project, name));
    writeFileSync(join(project, 'mainstay.toml'), `[stores.main]\nurl = "sqlite:${name}"\nintrospect = true\n`);
  });
}

async function running(prepare) {
  const folder = mkdtempSync(join(tmpdir(), 'mainstay-e2e-'));
  const project = join(folder, 'shop');
  const run = (...words) => execFileSync(program, [...words, project], { encoding: 'utf8' });
  prepare(project, run);
  const keys = Object.fromEntries(
    run('keys')
      .trim()
      .split('\n')
      .map((line) => line.split('=', 2)),
  );
  const serve = ['serve', '--listen', '127.0.0.1:0', '--set', 'log.level=warn', project];
  const server = spawn(program, serve, { stdio: ['ignore', 'pipe', 'pipe'] });
  const url = await listening(server);
  after(async () => {
    server.kill('SIGTERM');
    await new Promise((resolve) => (server.exitCode === null ? server.once('exit', resolve) : resolve()));
    rmSync(folder, { recursive: true, force: true });
  });
  const client = (key) => new PostgrestClient(`${url}/rest/v1`, { headers: { apikey: key } });
  return {
    url,
    publishableKey: keys.MAINSTAY_PUBLISHABLE_KEY,
    secretKey: keys.MAINSTAY_SECRET_KEY,
    /** What anybody may do. */
    anon: client(keys.MAINSTAY_PUBLISHABLE_KEY),
    /** What the owner may do: everything. */
    owner: client(keys.MAINSTAY_SECRET_KEY),
  };
}

async function listening(server) {
  let said = '';
  server.stderr.on('data', (part) => {
    said = (said + part).slice(-4000);
  });
  const ended = new Promise((_, reject) =>
    server.once('exit', (code) => reject(new Error(`the server ended with ${code} before it listened:\n${said}`))),
  );
  const address = new Promise((resolve) =>
    createInterface({ input: server.stdout }).on('line', (line) => {
      const found = line.match(/listening on (http:\/\/\S+)/);
      if (found) resolve(found[1]);
    }),
  );
  return Promise.race([address, ended]);
}
