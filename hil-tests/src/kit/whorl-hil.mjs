#!/usr/bin/env node
import { hideExperiments, needsNode } from '../../../tools/needs-node.mjs';

needsNode('whorl-hil');
hideExperiments();
await import('./cli.ts');
