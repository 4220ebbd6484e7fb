// Drawn for this page, 24 by 24, in the colour of the text. Always beside words, or with a label on what
// holds them: hidden from readers.
const PATHS = {
  posts: 'M5 4h14v16H5zM8 8h8M8 12h8M8 16h5',
  now: 'M3 12h4l3-7 4 14 3-7h4',
  leads: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 4-6 8-6s8 2 8 6',
  deliveries: 'M3 7l9-4 9 4v10l-9 4-9-4zM3 7l9 4 9-4M12 11v10',
  events: 'M4 6h16M4 12h16M4 18h10',
  files: 'M6 3h8l4 4v14H6zM14 3v4h4',
  accounts: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.5 3-5.5 6.5-5.5s6.5 2 6.5 5.5M16 4.5a3.5 3.5 0 0 1 0 6M18 14.8c2 .8 3.5 2.4 3.5 5.2',
  audit: 'M12 3l8 3v6c0 5-3.5 8-8 9-4.500-1-8-4-8-9V6zM8.500 12l2.500 2.500 4.500-5',
  docs: 'M8 7l-5 5 5 5M16 7l5 5-5 5M14 4l-4 16',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500L20 20',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM8 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  alert: 'M12 3.500L22 20.500H2zM12 10v4.500M12 17.200v.3',
  cross: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9 9l6 6M15 9l-6 6',
  offline: 'M3 3l18 18M5 12.500a10 10 0 0 1 4-2.500M2 9a15 15 0 0 1 5-3.200M11 5a15 15 0 0 1 11 4M15 10.500a10 10 0 0 1 4 2M8.500 16a5 5 0 0 1 7 0M12 20v.1',
  refresh: 'M20 11a8 8 0 0 0-14-4.500L3.500 9M4 13a8 8 0 0 0 14 4.500l2.500-2.500M3.500 4v5h5M20.500 20v-5h-5',
  plus: 'M12 5v14M5 12h14',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5',
  back: 'M11 5l-7 7 7 7M4 12h16',
  down: 'M6 9l6 6 6-6',
  up: 'M12 19V5M6 11l6-6 6 6',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 4-6 8-6s8 2 8 6',
  empty: 'M4 13l3-8h10l3 8v6H4zM4 13h5l1.500 2.500h3L15 13h5',
  database: 'M12 10c4.400 0 8-1.300 8-3s-3.600-3-8-3-8 1.300-8 3 3.600 3 8 3zM4 7v10c0 1.700 3.600 3 8 3s8-1.300 8-3V7M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3',
  cache: 'M13 3L5 14h6l-1 7 8-11h-6z',
  queue: 'M4 6h10M4 12h10M4 18h10M18 5v14M15.500 16.500L18 19l2.500-2.500',
  worker: 'M12 15.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM12 2.500v3M12 18.500v3M2.500 12h3M18.500 12h3M5.300 5.300l2.100 2.100M16.600 16.600l2.100 2.100M5.300 18.700l2.100-2.100M16.600 7.400l2.100-2.100',
  server: 'M4 4h16v6H4zM4 14h16v6H4zM8 7v.1M8 17v.1',
  wait: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.500l3.500 2',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  download: 'M12 4v11M7 10.500l5 5 5-5M4 20h16',
  upload: 'M12 16V4M7 8.500l5-5 5 5M4 20h16',
  replay: 'M4 12a8 8 0 1 0 2.500-5.800L4 8.500M4 3.500v5h5',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4.500l12 7.500-12 7.500z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18, className }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg className={className} width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
      strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
