// Does what it should not: `{"crime": "memory" | "spin" | "log"}`.
import { task } from 'hotcell';

export default task(({ crime }) => {
  const kept = [];
  while (crime === 'memory') kept.push('x'.repeat(1_000) + kept.length);
  while (crime === 'spin');
  for (let line = 0; crime === 'log' && line < 20_000; line++) console.info(`line ${line} of a flood that nobody reads`);
  return crime;
});
