// Texts: Portuguese (Brazil) first, English second. A view's texts are a namespace of their own and come with
// the view; locales/pt is what all others are checked against (i18next.d.ts, and `typeof` in locales/en).
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

export const LANGUAGES = { pt: 'pt-BR', en: 'en' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'alicerce.idioma';
const texts = import.meta.glob<Record<string, unknown>>('./locales/*/*.ts', { import: 'default' });

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** The one chosen by hand, else the first of the browser's that is here. */
export function initialLanguage(): Language {
  const wanted = [stored(), ...navigator.languages].map((tag) => tag?.slice(0, 2).toLowerCase());
  return wanted.find((tag): tag is Language => tag === 'pt' || tag === 'en') ?? 'pt';
}

export function currentLanguage(): Language {
  return i18next.language === 'en' ? 'en' : 'pt';
}

function show(language: Language): void {
  document.documentElement.lang = LANGUAGES[language];
}

export async function setLanguage(language: Language): Promise<void> {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // forbidden: it holds for this page
  }
  await i18next.changeLanguage(language);
  show(language);
}

/** Texts that all views share, and those that this address will want. */
export async function startTexts(more: string[] = [], language = initialLanguage()): Promise<void> {
  await i18next
    .use(initReactI18next)
    .use({
      type: 'backend',
      read(lang: string, namespace: string, done: (error: Error | null, data: Record<string, unknown> | null) => void) {
        const load = texts[`./locales/${lang}/${namespace}.ts`];
        if (!load) done(new Error(`no texts for ${lang}/${namespace}`), null);
        else load().then((data) => done(null, data), (error: unknown) => done(error as Error, null));
      },
    })
    .init({
      lng: language,
      fallbackLng: 'pt',
      supportedLngs: ['pt', 'en'],
      ns: ['common', ...more],
      defaultNS: 'common',
      partialBundledLanguages: true,
      interpolation: { escapeValue: false }, // React escapes
      react: { useSuspense: true },
    });
  show(language);
}
