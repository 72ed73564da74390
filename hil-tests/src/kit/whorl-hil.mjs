#!/usr/bin/env node
import { needsNode } from '../../../tools/needs-node.mjs';

needsNode('whorl-hil');
await import('./cli.ts');
