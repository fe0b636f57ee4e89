import assert from "node:assert/strict";
import { test } from "node:test";

import { all } from "./paging.js";

/** A sequence of numbers that looks random and is the same for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("a row that is there all the time comes once, whatever others create and delete", async () => {
  for (let seed = 0; seed < 300; seed++) {
    const roll = dice(seed);
    const rows = Array.from({ length: 200 }, (_, i) => `row${i}`);
    const started = [...rows];
    const gone = new Set<string>();
    const came = new Map<string, number>();
    let made = 0;
    const page = async (offset: number, limit: number) => {
      const answer = { rows: rows.slice(offset, offset + limit), total: rows.length };
      for (let moves = roll(6); moves > 0; moves--) {
        const at = roll(rows.length);
        if (roll(2) === 0) for (const row of rows.splice(at, 1)) gone.add(row);
        else rows.splice(at + 1, 0, `made${++made}`);
      }
      return answer;
    };
    for await (const row of all(6 + (seed % 20), (r: string) => r, page)) came.set(row, (came.get(row) ?? 0) + 1);
    for (const [row, times] of came) assert.equal(times, 1, `seed ${seed}: ${row}`);
    for (const row of started) assert.ok(came.has(row) || gone.has(row), `seed ${seed}: ${row} never came`);
  }
});

test("a list that is replaced meanwhile is noticed", async () => {
  let calls = 0;
  const page = async (offset: number, limit: number) => {
    const version = Math.min(++calls, 2);
    return { rows: Array.from({ length: limit }, (_, i) => `${offset + i} of ${version}`), total: 100 };
  };
  await assert.rejects(async () => {
    for await (const _ of all(10, (row: string) => row, page));
  }, /changed by more than a page/);
});
