const t0 = performance.now();

import module from 'node:module';

module.enableCompileCache('/tmp/play/cc2');
const t1 = performance.now();
const { runTick } = await import('../dist/tick.js');
const t2 = performance.now();
const rc = await runTick(process.argv.slice(3));
const t3 = performance.now();
process.on('exit', () => {
  if (process.env.SHOW)
    console.error({ start: t0 | 0, importTick: t2 - t1, run: t3 - t2, exit: performance.now() - t3 });
});
