// Dates and numbers as the chosen language writes them. Formatters are dear to make: each is kept.
import { useTranslation } from 'react-i18next';
import { LANGUAGES, type Language } from './index';

type DateInput = string | number | Date;

function kept<A extends unknown[], F>(make: (...args: A) => F): (...args: A) => F {
  const made = new Map<string, F>();
  return (...args) => {
    const key = JSON.stringify(args);
    const one = made.get(key) ?? make(...args);
    made.set(key, one);
    return one;
  };
}

const dates = kept((tag: string, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(tag, options));
const numbers = kept((tag: string, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(tag, options));
const relatives = kept((tag: string) => new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' }));

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1],
];
const RELATIVE_DAYS = 7;

export interface Format {
  /** 25 nov. 2026 10:54:18 */
  dateTime: (at: DateInput) => string;
  date: (at: DateInput) => string;
  time: (at: DateInput) => string;
  /** há 3 min; a date when it is more than a week ago. */
  relative: (at: DateInput, now?: number) => string;
  number: (value: number, options?: Intl.NumberFormatOptions) => string;
  /** 4,2 MB */
  bytes: (value: number) => string;
  /** 12 ms; 1,2 s */
  ms: (value: number) => string;
  /** 45 s; 12 min; 3 h */
  seconds: (value: number) => string;
}

function unit(tag: string, value: number, name: string, digits = 1): string {
  const unitDisplay = name === 'byte' ? 'long' : 'short'; // the short form of English has no plural: "9 byte"
  return numbers(tag, { style: 'unit', unit: name, maximumFractionDigits: digits, unitDisplay }).format(value);
}

export function formatFor(language: Language): Format {
  const tag = LANGUAGES[language];
  const date = (at: DateInput): string => dates(tag, { dateStyle: 'medium' }).format(new Date(at));
  return {
    date,
    dateTime: (at) => dates(tag, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(at)),
    time: (at) => dates(tag, { timeStyle: 'medium' }).format(new Date(at)),
    relative: (at, now = Date.now()) => {
      const seconds = (new Date(at).getTime() - now) / 1000;
      if (Math.abs(seconds) > RELATIVE_DAYS * 86_400) return date(at);
      const [name, size] = STEPS.find(([, one]) => Math.abs(seconds) >= one) ?? ['second', 1];
      return relatives(tag).format(Math.trunc(seconds / size), name);
    },
    number: (value, options = {}) => numbers(tag, options).format(value),
    bytes: (value) => {
      const step = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), 3);
      return unit(tag, value / 1000 ** step, ['byte', 'kilobyte', 'megabyte', 'gigabyte'][step] ?? 'byte');
    },
    ms: (value) => (value < 1000 ? unit(tag, value, 'millisecond', value < 10 ? 1 : 0) : unit(tag, value / 1000, 'second')),
    seconds: (value) => {
      if (value < 120) return unit(tag, value, 'second', value < 10 ? 1 : 0);
      return value < 7200 ? unit(tag, value / 60, 'minute', 0) : unit(tag, value / 3600, 'hour');
    },
  };
}

const all = { pt: formatFor('pt'), en: formatFor('en') };

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return all[i18n.language === 'en' ? 'en' : 'pt'];
}
