#!/usr/bin/env node
import { hideExperiments, needsNode } from '../../../tools/needs-node.mjs';

needsNode('whorl');
hideExperiments();
await import('./main.ts');
