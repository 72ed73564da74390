import { registerIcons } from './component-icons.ts';
import './front-panel.ts';
import { startTheme } from './theme.ts';

startTheme();
registerIcons();
