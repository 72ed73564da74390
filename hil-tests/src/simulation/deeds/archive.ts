import { backUp, restore } from '../backups.ts';
import { deed } from './deed.ts';

export const makes = deed('back-up', {}, backUp);

export const goesBack = deed('restore', {}, restore);
