import type common from './locales/pt/common';
import type posts from './locales/pt/posts';
import type now from './locales/pt/now';
import type leads from './locales/pt/leads';
import type accounts from './locales/pt/accounts';
import type files from './locales/pt/files';
import type audit from './locales/pt/audit';
import type deliveries from './locales/pt/deliveries';
import type events from './locales/pt/events';
import type json from './locales/pt/json';
import type docs from './locales/pt/docs';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common';
    resources: {
      common: typeof common;
      posts: typeof posts;
      now: typeof now;
      leads: typeof leads;
      deliveries: typeof deliveries;
      events: typeof events;
      json: typeof json;
      files: typeof files;
      accounts: typeof accounts;
      audit: typeof audit;
      docs: typeof docs;
    };
  }
}
