// Batches and rows inside rows, by plain fetch: the client libraries cannot send a batch.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { shop } from './server.js';

const { url, owner, publishableKey, secretKey } = await shop();

async function batch(steps, key = secretKey) {
  const answer = await fetch(`${url}/rest/v1/batch`, {
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json' },
    body: JSON.stringify({ steps }),
  });
  return { status: answer.status, body: await answer.json() };
}

describe('batch', () => {
  test('later steps use what earlier ones gave', async () => {
    const { status, body } = await batch([
      {
        id: 'customer',
        method: 'POST',
        path: '/customers?select=id',
        prefer: 'return=representation',
        accept: 'application/vnd.pgrst.object+json',
        body: { name: 'Hana', email: 'hana@example.com' },
      },
      {
        id: 'order',
        method: 'POST',
        path: '/orders?select=id',
        prefer: 'return=representation',
        body: { customer_id: { $ref: 'customer.id' } },
      },
      { method: 'GET', path: '/orders?select=customer_id,status&id=eq.${order[0].id}' },
    ]);
    assert.equal(status, 200);
    assert.deepEqual(
      body.steps.map((step) => step.status),
      [201, 201, 200],
    );
    assert.deepEqual(body.steps[2].body, [{ customer_id: body.steps[0].body.id, status: 'new' }]);
  });

  test('a step that fails leaves nothing', async () => {
    const { status, body } = await batch([
      { method: 'POST', path: '/customers', body: { name: 'Ida', email: 'ida@example.com' } },
      { id: 'twice', method: 'POST', path: '/customers', body: { name: 'Ana', email: 'ana@example.com' } },
    ]);
    assert.equal(status, 409);
    assert.equal(body.code, '23505');
    assert.equal(body.details.index, 1);
    assert.equal(body.details.id, 'twice');
    const { data } = await owner.from('customers').select('id').eq('email', 'ida@example.com');
    assert.deepEqual(data, []);
  });

  test('the rules hold for each step', async () => {
    const { status, body } = await batch([{ method: 'GET', path: '/orders' }], publishableKey);
    assert.equal(status, 401);
    assert.equal(body.code, '42501');
  });
});

describe('rows inside rows', () => {
  test('are inserted by the client library as they are', async () => {
    const line = (number, product_id) => ({ line: number, product_id, quantity: 1, unit_price: 5 });
    const { data, error } = await owner
      .from('orders')
      .insert([
        { customer_id: 1, order_lines: [line(1, 2), line(2, 3)] },
        { customer_id: 2, order_lines: [] },
      ])
      .select('customer_id,order_lines(product_id)');
    assert.equal(error, null);
    assert.deepEqual(data, [
      { customer_id: 1, order_lines: [{ product_id: 2 }, { product_id: 3 }] },
      { customer_id: 2, order_lines: [] },
    ]);
  });
});
