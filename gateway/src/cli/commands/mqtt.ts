import type { Command } from 'commander';

/** Commands about MQTT. */
export function addMqttCommands(program: Command): void {
  const mqtt = program.command('mqtt').description('what travels over MQTT');
  mqtt
    .command('schemas')
    .description('print the JSON Schema of every topic')
    .addHelpText('after', '\nExample:\n  whorl mqtt schemas > mqtt-schemas.json')
    .action(async () => {
      // Loaded only here: the other commands start sooner without it.
      const { mqttSchemas } = await import('../../mqtt/document.ts');
      console.log(JSON.stringify(mqttSchemas(), undefined, 2));
    });
}
