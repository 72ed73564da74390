#!/usr/bin/env node
import { hideExperiments, needsNode } from '../../../tools/needs-node.mjs';

needsNode('whorl-emulator');
hideExperiments();
await import('./cli.ts');
