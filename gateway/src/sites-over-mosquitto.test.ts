import { suiteOver } from './sites/testing/over-broker.ts';

suiteOver('mosquitto');
