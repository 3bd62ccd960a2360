import type { ComposingSettings } from '../../../src/mail/compose/composing-settings.ts';

/** The settings of a `[mail]` section that says nothing but `from`. */
export const composingDefaults: ComposingSettings = {
  defaultFrom: 'CMS <cms@example.org>',
  redirectAll: undefined,
  attachmentsFrom: [],
  mayAttachLargeObjects: false,
  templates: { directory: undefined, catalogs: [] },
  dkim: undefined,
};
