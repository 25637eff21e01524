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

/** A database of PostgreSQL that this SQL makes, served as PostgREST serves it; `settings` are `PGRST_…` without that. */
export async function database(sql, settings) {
  const server = new URL(need('MAINSTAY_TEST_POSTGRES_URL'));
  const name = `mainstay_e2e_${process.pid}`;
  psql(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  after(() => psql(server, `DROP DATABASE ${name} WITH (FORCE)`));
  psql(url, sql);
  const set = Object.entries(settings).map(([key, value]) => [`PGRST_${key}`, value]);
  const env = { ...process.env, ...Object.fromEntries(set), PGRST_DB_URI: url.href };
  return serving(spawn(program, ['serve', '--from-postgrest', '--listen', '127.0.0.1:0'], { env, stdio }));
}

/** A running shop over three databases, of which this process alone has those on servers. */
export async function shopOfStores() {
  const server = new URL(need('MAINSTAY_TEST_POSTGRES_URL'));
  const name = `mainstay_e2e_stores_${process.pid}`;
  psql(server, `CREATE DATABASE ${name}`);
  after(() => psql(server, `DROP DATABASE ${name} WITH (FORCE)`));
  const sales = new URL(server);
  sales.pathname = `/${name}`;
  process.env.SALES_URL = sales.href;
  process.env.DOCS_URL = need('MAINSTAY_TEST_MONGO_URL').replace('/?', `/${name}?`);
  return running((project, run) => {
    const from = join(example, '../shop-stores');
    cpSync(from, project, { recursive: true, filter: (path) => !path.includes('.mainstay') });
    run('migrate', 'apply');
    run('seed');
  });
}

function psql(url, text) {
  return execFileSync('psql', ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', url.href], { input: text });
}

const stdio = ['ignore', 'pipe', 'pipe'];

/** The URL at which a server listens, which is stopped when the file's tests are over. */
async function serving(server) {
  const url = await listening(server);
  after(async () => {
    server.kill('SIGTERM');
    await new Promise((resolve) => (server.exitCode === null ? server.once('exit', resolve) : resolve()));
  });
  return url;
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
  after(() => rmSync(folder, { recursive: true, force: true }));
  const url = await serving(spawn(program, serve, { stdio }));
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
