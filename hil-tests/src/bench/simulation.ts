import { performance } from 'node:perf_hooks';
import { memoryRig } from '../rig/memory.ts';

/** Virtual seconds a real second: the whole gateway and 32 terminals on a line, with an enrolment now and then. */
export async function benchSimulation({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const members = Array.from({ length: 32 }, (_, i) => ({ name: `terminal-${i + 1}` }));
  const rig = await memoryRig({ lines: { floor: members } });
  try {
    await rig.pass(10_000);
    const minutes = quick ? 5 : 60;
    const began = performance.now();
    for (let minute = 0; minute < minutes; minute += 1) {
      if (minute % 10 === 0)
        rig.terminal(`terminal-${(minute % 32) + 1}`).enrol({ user: minute + 1, fingers: 2 });
      await rig.pass(60_000);
    }
    const speed = (minutes * 60_000) / (performance.now() - began);
    // There is no other crypto than the real one.
    return { 'sim.speed': speed, 'sim.speed_real_crypto': speed };
  } finally {
    await rig.close();
  }
}
