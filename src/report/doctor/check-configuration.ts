import { findConfigWarnings } from '../../config/find-config-warnings.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** `tend.toml` and the TEND_ variables are right, and act as they look. */
export const checkConfiguration: DoctorCheck = {
  name: 'configuration',
  async run({ loadedConfig, configError }) {
    if (configError !== undefined) {
      const text = configError.message.replaceAll(/:\s*\n\s*/g, ': ').replaceAll(/\s*\n\s*/g, '; ');
      return { status: 'fail', text, fix: 'tend config validate names every place' };
    }
    const warnings = findConfigWarnings(loadedConfig);
    if (warnings.length > 0) {
      const text = warnings.map((warning) => `${warning.place}: ${warning.text}`).join('; ');
      return { status: 'warn', text, fix: 'Change them in tend.toml; more: tend config validate' };
    }
    return {
      status: 'ok',
      text: loadedConfig.configPath ?? 'there is no tend.toml; the environment is right',
    };
  },
};
