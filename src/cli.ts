#!/usr/bin/env node
import { hideBin } from 'yargs/helpers';
import { main } from './commands/main.ts';

await main(hideBin(process.argv));
