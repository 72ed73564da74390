#!/usr/bin/env node
import { needsNode } from '../../../tools/needs-node.mjs';

needsNode('whorl-emulator');
await import('./cli.ts');
