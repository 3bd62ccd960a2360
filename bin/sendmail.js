#!/usr/bin/env node
// The entry of `tend-sendmail`, which stands in for sendmail(8). Old syntax: see run.js.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    'tend-sendmail: Node 24 or newer is needed, and this is Node ' + process.versions.node + '\n',
  );
  process.exit(78);
} else {
  process.removeAllListeners('warning');
  import('../dist/sendmail.js')
    .then(({ main }) => main({ argv: process.argv.slice(2), stdin: process.stdin }))
    .then(
      (code) => {
        process.exitCode = code;
      },
      (error) => {
        process.stderr.write(
          'tend-sendmail: ' + (error instanceof Error ? error.message : String(error)) + '\n',
        );
        process.exitCode = 70;
      },
    );
}
