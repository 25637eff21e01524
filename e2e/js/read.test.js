// Reading with postgrest-js: every filter, select, order, pages, counts, and the forms of an answer.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { shop } from './server.js';

const { anon, owner } = await shop();

const products = () => anon.from('products').select('id').order('id');

describe('filters pick these products', () => {
  const cases = [
    ['eq', (q) => q.eq('id', 4), [4]],
    ['eq on text with a quote', (q) => q.eq('name', "Chef's knife"), [2]],
    ['neq', (q) => q.neq('available', true), [10]],
    ['gt', (q) => q.gt('price', 64), [2, 10]],
    ['gte', (q) => q.gte('price', 64), [2, 4, 10]],
    ['lt', (q) => q.lt('price', 18.25), [1]],
    ['lte, decimals compare as numbers', (q) => q.lte('price', '18.250'), [1, 6]],
    ['gte on a date', (q) => q.gte('added_on', '2026-04-18'), [8, 9]],
    ['like', (q) => q.like('name', '%pan%'), [4, 5, 10]],
    ['like minds the case', (q) => q.like('name', 'crêpe%'), []],
    ['ilike does not, in any script', (q) => q.ilike('name', 'CRÊPE%'), [5]],
    ['likeAllOf', (q) => q.likeAllOf('name', ['C%', '%pan']), [4, 5, 10]],
    ['likeAnyOf', (q) => q.likeAnyOf('name', ['Trow%', '%shears']), [6, 7]],
    ['ilikeAllOf', (q) => q.ilikeAllOf('name', ['c%', '%IRON%']), [4]],
    ['ilikeAnyOf', (q) => q.ilikeAnyOf('name', ['trow%', '%SHEARS']), [6, 7]],
    ['is null', (q) => q.is('weight_kg', null), [9]],
    ['is false', (q) => q.is('available', false), [10]],
    ['in', (q) => q.in('id', [2, 5, 99]), [2, 5]],
    ['in with words that need quotes', (q) => q.in('name', ["Chef's knife", 'a,b(c)', 'Trowel']), [2, 6]],
    ['in nothing', (q) => q.in('id', []), []],
    ['contains on an array', (q) => q.contains('tags', ['steel', 'small']), [1]],
    ['contains on JSON', (q) => q.contains('attributes', { maker: { country: 'SE' } }), [1, 2]],
    ['containedBy', (q) => q.containedBy('tags', ['steel', 'small']), [1, 2, 5, 7, 9]],
    ['overlaps', (q) => q.overlaps('tags', ['iron', 'linen']), [4, 8]],
    ['match is eq on each', (q) => q.match({ available: true, price: '44.00' }), [7]],
    ['notIn', (q) => q.notIn('id', [1, 2, 3, 4, 5, 6, 7]), [8, 9, 10]],
    ['not is null', (q) => q.not('weight_kg', 'is', null).gt('id', 8), [10]],
    ['or', (q) => q.or('id.eq.1,and(price.gt.60,available.is.true)'), [1, 2, 4]],
    ['or with not', (q) => q.or('not.and(id.gt.1,id.lt.10)'), [1, 10]],
    ['isDistinct', (q) => q.isDistinct('weight_kg', 2.4).gte('id', 4), [5, 6, 7, 8, 9, 10]],
    ['any of a quantifier', (q) => q.filter('id', 'eq(any)', '{3,4}'), [3, 4]],
    ['all of a quantifier', (q) => q.filter('id', 'gt(all)', '{3,8}'), [9, 10]],
    ['text at a JSON path', (q) => q.eq('attributes->maker->>country', 'FR'), [3]],
    ['JSON at a JSON path', (q) => q.eq('attributes->blade_cm', 20), [2]],
    ['a number at a JSON path is more than another', (q) => q.gt('attributes->blade_cm', 9), [2, 3]],
    ['several filters all hold', (q) => q.gt('id', 3).lt('id', 6), [4, 5]],
  ];
  for (const [name, filter, expected] of cases) {
    test(name, async () => {
      const { data, error } = await filter(products());
      assert.equal(error, null);
      assert.deepEqual(data.map((row) => row.id), expected);
    });
  }
});

describe('select shapes a row', () => {
  test('columns keep the order they are asked in, and their types', async () => {
    const { data } = await anon.from('products').select('name,id,price,weight_kg,tags,available,added_on').eq('id', 1);
    assert.deepEqual(Object.entries(data[0]), [
      ['name', 'Paring knife'],
      ['id', 1],
      ['price', 12.9],
      ['weight_kg', 0.06],
      ['tags', ['steel', 'small']],
      ['available', true],
      ['added_on', '2026-01-12'],
    ]);
  });

  test('an alias, a cast and a JSON path', async () => {
    const { data } = await anon
      .from('products')
      .select('label:name, price::text, attributes->maker->>name, size:attributes->blade_cm')
      .eq('id', 2)
      .single();
    assert.deepEqual(data, { label: "Chef's knife", price: '89.00', name: 'Holt', size: 20 });
  });

  test('a star is every column in the order of the schema', async () => {
    const { data } = await anon.from('categories').select().eq('id', 2).single();
    assert.deepEqual(data, { id: 2, name: 'Knives', parent_id: 1 });
  });

  test('timestamps are in UTC, with the zone written', async () => {
    const { data } = await owner.from('orders').select('placed_at').in('id', [1, 5]).order('id');
    assert.deepEqual(data.map((row) => row.placed_at), ['2026-03-01T10:00:00+00:00', '2026-06-30T23:59:59.5+00:00']);
  });
});

describe('order and pages', () => {
  test('order by several columns', async () => {
    const { data } = await anon
      .from('products')
      .select('id')
      .order('available')
      .order('price', { ascending: false })
      .limit(3);
    assert.deepEqual(data.map((row) => row.id), [10, 2, 4]);
  });

  test('nulls come last ascending and first descending, unless told', async () => {
    const ids = async (options) => {
      const { data } = await anon.from('products').select('id').order('weight_kg', options);
      return data.map((row) => row.id);
    };
    assert.equal((await ids({ ascending: true })).at(-1), 9);
    assert.equal((await ids({ ascending: false }))[0], 9);
    assert.equal((await ids({ ascending: true, nullsFirst: true }))[0], 9);
    assert.equal((await ids({ ascending: false, nullsFirst: false })).at(-1), 9);
  });

  test('a range with an exact count is part of the whole', async () => {
    const { data, count, status } = await anon
      .from('products')
      .select('id', { count: 'exact' })
      .order('id')
      .range(2, 4);
    assert.deepEqual(data.map((row) => row.id), [3, 4, 5]);
    assert.equal(count, 10);
    assert.equal(status, 206);
  });

  test('a count without rows', async () => {
    const { data, count, status } = await anon
      .from('products')
      .select('*', { count: 'exact', head: true })
      .gt('price', 40);
    assert.equal(data, null);
    assert.equal(count, 5);
    assert.equal(status, 200);
  });

  test('a range past the end is refused when the count is known', async () => {
    const { error, status } = await anon.from('products').select('id', { count: 'exact' }).range(50, 60);
    assert.equal(status, 416);
    assert.equal(error.code, 'PGRST103');
  });
});

describe('one row, or an error', () => {
  test('single', async () => {
    const { data } = await anon.from('products').select('name').eq('slug', 'trowel').single();
    assert.deepEqual(data, { name: 'Trowel' });
  });

  test('single on no row and on many', async () => {
    for (const query of [products().eq('id', 99), products()]) {
      const { data, error, status } = await query.single();
      assert.equal(data, null);
      assert.equal(status, 406);
      assert.equal(error.code, 'PGRST116');
    }
  });

  test('maybeSingle on no row is null, on many an error', async () => {
    const none = await products().eq('id', 99).maybeSingle();
    assert.equal(none.error, null);
    assert.equal(none.data, null);
    const many = await products().maybeSingle();
    assert.equal(many.error.code, 'PGRST116');
  });
});

test('CSV has a header and quotes what needs it', async () => {
  const { data, error } = await owner.from('orders').select('id,note').order('id').csv();
  assert.equal(error, null);
  const lines = data.trimEnd().split(/\r?\n/);
  assert.equal(lines.length, 6);
  assert.equal(lines[0], 'id,note');
  assert.equal(lines[1], '1,');
  assert.equal(lines[4], '4,"Ordered twice, sorry"');
});

describe('a mistake is explained', () => {
  const cases = [
    ['an unknown table', (db) => db.from('produts').select(), 404, 'PGRST205'],
    ['an unknown column in a filter', (db) => db.from('products').select().eq('nope', 1), 400, '42703'],
    ['an unknown column in select', (db) => db.from('products').select('nope'), 400, '42703'],
    ['a value of another type', (db) => db.from('products').select().eq('id', 'x'), 400, '22P02'],
    ['an unknown operator', (db) => db.from('products').select().filter('id', 'equals', 1), 400, 'PGRST100'],
    ['a relation that is not there', (db) => db.from('products').select('customers(*)'), 400, 'PGRST200'],
    ['what only PostgreSQL has', (db) => db.from('products').select().rangeLt('price', '[1,2)'), 400, 'PGRST127'],
  ];
  for (const [name, ask, status, code] of cases) {
    test(name, async () => {
      const answer = await ask(anon);
      assert.equal(answer.status, status, JSON.stringify(answer.error));
      assert.equal(answer.error.code, code);
      assert.deepEqual(Object.keys(answer.error).sort(), ['code', 'details', 'hint', 'message']);
      assert.equal(answer.data, null);
    });
  }
});
