#!/usr/bin/env node
// Runs the sources, without a build: `node bin/dev.js COMMAND`. Node 24 reads the TypeScript itself.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute } from '@oclif/core/execute';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pjson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
pjson.oclif.commands = './commands';
pjson.oclif.hooks = { command_not_found: './src/cli/command-not-found.ts' };
globalThis.oclif = { enableAutoTranspile: false };
process.removeAllListeners('warning');
await execute({ dir: import.meta.url, loadOptions: { root, pjson, ignoreManifest: true } });
