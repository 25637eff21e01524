// Writing with postgrest-js: insert, upsert, update, delete, what they answer and what they refuse.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { shop } from './server.js';

const { owner } = await shop();

const product = (slug, more = {}) => ({ slug, name: `Thing ${slug}`, price: '10.50', added_on: '2026-07-01', ...more });

/** The answer of a write that must go well. */
async function done(query) {
  const answer = await query;
  assert.equal(answer.error, null);
  return answer;
}

describe('insert', () => {
  test('answers nothing unless asked', async () => {
    const { data, status } = await done(owner.from('products').insert(product('silent')));
    assert.equal(status, 201);
    assert.equal(data, null);
  });

  test('gives the row with what the engine filled in', async () => {
    const { data } = await done(owner.from('products').insert(product('told')).select().single());
    assert.equal(data.slug, 'told');
    assert.equal(data.price, 10.5);
    assert.equal(data.available, true);
    assert.deepEqual(data.tags, []);
    assert.ok(Number.isInteger(data.id));
    assert.match(data.updated_at, /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/);
  });

  test('many rows at once, counted', async () => {
    const many = Array.from({ length: 100 }, (_, index) => product(`many-${index}`));
    const { count, data } = await done(owner.from('products').insert(many, { count: 'exact' }).select('slug'));
    assert.equal(count, 100);
    assert.deepEqual(data.map((row) => row.slug), many.map((row) => row.slug));
  });

  test('rows with different keys take defaults when told', async () => {
    const { data } = await done(
      owner
        .from('products')
        .insert([product('few'), product('more', { available: false })], { defaultToNull: false })
        .select('slug,available'),
    );
    assert.deepEqual(data, [
      { slug: 'few', available: true },
      { slug: 'more', available: false },
    ]);
  });

  test('is all or nothing', async () => {
    const { error, status } = await owner.from('products').insert([product('first'), product('trowel')]);
    assert.equal(status, 409);
    assert.equal(error.code, '23505');
    const { data } = await done(owner.from('products').select('id').eq('slug', 'first'));
    assert.deepEqual(data, []);
  });

  test('keeps every digit and every character', async () => {
    const note = 'Ünïcödé "quoted" \\ back\nline 🙂';
    const { data } = await done(
      owner.from('orders').insert({ customer_id: 1, note, placed_at: '2026-08-01T12:00:00.123456+02:00' }).select().single(),
    );
    assert.equal(data.note, note);
    assert.equal(data.placed_at, '2026-08-01T10:00:00.123456+00:00');
  });

  test('a row with its embed in the answer', async () => {
    const { data } = await done(
      owner.from('orders').insert({ customer_id: 2 }).select('status, customers!customer_id(name)').single(),
    );
    assert.deepEqual(data, { status: 'new', customers: { name: 'Béla Kiss' } });
  });
});

describe('upsert', () => {
  test('merges by the primary key', async () => {
    const row = { customer_id: 2, language: 'de' };
    const first = await done(owner.from('customer_settings').upsert(row).select().single());
    assert.equal(first.status, 201);
    const second = await done(owner.from('customer_settings').upsert({ ...row, language: 'fr' }).select().single());
    assert.equal(second.status, 200);
    assert.deepEqual(second.data, { customer_id: 2, newsletter: false, language: 'fr' });
  });

  test('merges by a unique column', async () => {
    await done(owner.from('products').insert(product('merged')));
    const { data } = await done(
      owner.from('products').upsert(product('merged', { price: '11.00' }), { onConflict: 'slug' }).select('slug,price'),
    );
    assert.deepEqual(data, [{ slug: 'merged', price: 11 }]);
  });

  test('leaves what is there when told to ignore it', async () => {
    const { data } = await done(
      owner
        .from('products')
        .upsert([product('trowel'), product('ignored')], { onConflict: 'slug', ignoreDuplicates: true })
        .select('slug'),
    );
    assert.deepEqual(data, [{ slug: 'ignored' }]);
  });

  test('refuses columns that are no key', async () => {
    const { error, status } = await owner.from('products').upsert(product('nokey'), { onConflict: 'name' });
    assert.equal(status, 400);
    assert.equal(error.code, '42P10');
  });
});

describe('update', () => {
  test('changes the rows that pass, and the time of change', async () => {
    const before = await done(owner.from('products').select('updated_at').eq('id', 6).single());
    const { data, status } = await done(
      owner.from('products').update({ price: 19 }).eq('id', 6).select('id,price,updated_at'),
    );
    assert.equal(status, 200);
    assert.equal(data.length, 1);
    assert.equal(data[0].price, 19);
    assert.ok(data[0].updated_at > before.data.updated_at);
  });

  test('of no row is no error', async () => {
    const { status } = await done(owner.from('products').update({ price: 1 }).eq('id', 9999));
    assert.equal(status, 204);
  });

  test('of everything needs a filter', async () => {
    const { error, status } = await owner.from('products').update({ price: 1 });
    assert.equal(status, 400);
    assert.equal(error.code, '21000');
  });

  test('of more rows than allowed is undone', async () => {
    const { error, status } = await owner.from('products').update({ price: 1 }).lte('id', 5).maxAffected(2);
    assert.equal(status, 400);
    assert.equal(error.code, 'PGRST124');
    const { data } = await done(owner.from('products').select('price').eq('id', 5).single());
    assert.equal(data.price, 29);
  });
});

describe('delete', () => {
  test('gives the rows that went', async () => {
    await done(owner.from('products').insert([product('gone-1'), product('gone-2')]));
    const { data, count } = await done(
      owner.from('products').delete({ count: 'exact' }).like('slug', 'gone-%').select('slug'),
    );
    assert.deepEqual(data.map((row) => row.slug).sort(), ['gone-1', 'gone-2']);
    assert.equal(count, 2);
  });

  test('takes along what refers to the row, as the schema says', async () => {
    const { data: order } = await done(owner.from('orders').insert({ customer_id: 4 }).select('id').single());
    await done(owner.from('order_lines').insert({ order_id: order.id, line: 1, product_id: 1, quantity: 1, unit_price: 1 }));
    await done(owner.from('orders').delete().eq('id', order.id));
    const { data } = await done(owner.from('order_lines').select().eq('order_id', order.id));
    assert.deepEqual(data, []);
  });

  test('of a row that others need is refused', async () => {
    const { error, status } = await owner.from('products').delete().eq('id', 4);
    assert.equal(status, 409);
    assert.equal(error.code, '23503');
  });
});

describe('a row that cannot be is refused', () => {
  const cases = [
    ['a key twice', 'products', product('trowel'), 409, '23505'],
    ['a reference to nothing', 'orders', { customer_id: 999 }, 409, '23503'],
    ['a required column left out', 'products', { slug: 'x-1' }, 400, '23502'],
    ['below the least', 'products', product('x-2', { price: -1 }), 400, '23514'],
    ['not of the format', 'products', product('Not A Slug'), 400, '23514'],
    ['no number', 'products', product('x-3', { price: 'dear' }), 400, '22P02'],
    ['a number out of range', 'products', product('x-4', { price: '123456789.00' }), 400, '22003'],
    ['a date that does not exist', 'products', product('x-5', { added_on: '2026-02-30' }), 400, '22008'],
    ['an unknown column', 'products', product('x-6', { colour: 'red' }), 400, 'PGRST204'],
  ];
  for (const [name, table, row, status, code] of cases) {
    test(name, async () => {
      const answer = await owner.from(table).insert(row);
      assert.equal(answer.status, status, JSON.stringify(answer.error));
      assert.equal(answer.error.code, code, JSON.stringify(answer.error));
      assert.ok(answer.error.message.length > 10);
    });
  }
});
