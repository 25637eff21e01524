// The description under a public validator.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { example, program } from './shop.js';

for (const role of ['anon', 'authenticated', 'service_role']) {
  test(`what ${role} sees is OpenAPI 3.1`, async () => {
    const text = execFileSync(program, ['openapi', '--role', role, example], { encoding: 'utf8', maxBuffer: 1 << 26 });
    const validator = new Validator();
    const result = await validator.validate(JSON.parse(text));
    assert.deepEqual(result.errors ?? [], []);
    assert.equal(validator.version, '3.1');
  });
}
