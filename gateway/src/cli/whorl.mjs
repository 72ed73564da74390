#!/usr/bin/env node
import { needsNode } from '../../../tools/needs-node.mjs';

needsNode('whorl');
await import('./main.ts');
