// supabase-js against a project whose tables lie in SQLite, PostgreSQL and MongoDB.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { shopOfStores } from './server.js';

const { url, secretKey, publishableKey } = await shopOfStores();
// Node before 22 has no WebSocket, and none is opened here.
const quiet = { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: class {} } };
const owner = createClient(url, secretKey, quiet);
const anybody = createClient(url, publishableKey, quiet);

test('one request returns orders with their customer and events, filtered and ordered', async () => {
  const { data, error, count } = await owner
    .from('orders')
    .select('id, status, customer:customers!inner(name), events(kind, details->>method), order_lines(quantity, products(name))', {
      count: 'exact',
    })
    .eq('customer.name', 'Ana Souza')
    .in('events.kind', ['paid', 'shipped'])
    .order('at', { referencedTable: 'events', ascending: false })
    .order('placed_at', { ascending: false })
    .limit(5);
  assert.equal(error, null);
  assert.equal(count, 2);
  assert.deepEqual(data, [
    {
      id: 2,
      status: 'paid',
      customer: { name: 'Ana Souza' },
      events: [{ kind: 'paid', method: 'transfer' }],
      order_lines: [{ quantity: 1, products: { name: 'Secateurs' } }],
    },
    {
      id: 1,
      status: 'shipped',
      customer: { name: 'Ana Souza' },
      events: [
        { kind: 'shipped', method: null },
        { kind: 'paid', method: 'card' },
      ],
      order_lines: [
        { quantity: 1, products: { name: 'Paring knife' } },
        { quantity: 1, products: { name: "Chef's knife" } },
      ],
    },
  ]);
});

test('documents are written and read like rows', async () => {
  const review = { product_id: 3, author: 'Eve', stars: 5, tags: ['sturdy'] };
  const made = await anybody.from('reviews').insert(review).select('id, stars, tags, products(name)').single();
  assert.equal(made.error, null);
  assert.deepEqual(made.data.products, { name: 'Hand fork' });
  const found = await anybody.from('reviews').select('stars').contains('tags', ['sturdy']);
  assert.deepEqual(found.data, [{ stars: 5 }]);
  const wrong = await anybody.from('reviews').insert({ ...review, stars: 9 });
  assert.equal(wrong.error.code, '23514');
  const gone = await owner.from('reviews').delete().eq('id', made.data.id).select('author');
  assert.deepEqual(gone.data, [{ author: 'Eve' }]);
  const again = await owner.from('reviews').upsert([{ ...review, id: made.data.id, stars: 1 }]).select('stars');
  assert.deepEqual(again.data, [{ stars: 1 }]);
});

test('a value is never an operator', async () => {
  const { data, error } = await owner.from('reviews').select('author').eq('author', JSON.stringify({ $gt: '' }));
  assert.equal(error, null);
  assert.deepEqual(data, []);
});

test('what would change rows of two stores is refused, and names them', async () => {
  const { error } = await owner.from('orders').insert({ customer_id: 1, total: 1, events: [{ kind: 'placed' }] });
  assert.equal(error.code, 'PGRST127');
  assert.match(error.details, /sales and docs/);
});
